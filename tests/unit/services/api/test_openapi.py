from services.api.openapi import SIGNED, Role, problems, role_of, signed_by


def test_the_document_describes_problems_and_signatures(sqlite_world):
    document = sqlite_world.client.get("/openapi.json").json()
    assert SIGNED in document["components"]["securitySchemes"]
    schemas = document["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    assert schemas["ProblemDetails"]["properties"]["code"] == {
        "$ref": "#/components/schemas/ProblemCode"
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            refused = operation["responses"].get("422", {"content": {}})
            assert "application/json" not in refused["content"]
    example = document["paths"]["/submit_submission"]["post"]["requestBody"]
    assert "example" in example["content"]["application/json"]


def test_every_route_may_be_refused_and_be_unavailable():
    assert set(problems(404)) == {403, 404, 422, 429, 503}


def test_what_a_route_declares_is_the_role_that_it_asks_for():
    for role in Role:
        assert role_of(signed_by(role)) is role
    assert role_of(None) is None
    assert role_of({"security": [{"other": ["admin"]}]}) is None
