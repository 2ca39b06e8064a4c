from services.api.app import create_app
from services.api.rate_headers import HEADERS, LATER, RETRY_AFTER, describe
from services.api.turnstile import EXEMPT, RATE_HEADERS
from tests.support.api import settings_for


def test_every_answer_of_every_limited_route_is_described():
    document = create_app(settings_for("sqlite:////dev/null/no.db")).openapi()
    limited = 0
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                told = set(response.get("headers", ()))
                if path in EXEMPT:
                    assert told == set(), path
                    continue
                limited += 1
                assert told >= set(RATE_HEADERS), (path, status)
                assert (RETRY_AFTER in told) is (status in LATER)
    assert limited > 100
    assert document["components"]["headers"].keys() == HEADERS.keys()


def test_what_an_answer_said_before_stands_beside_it():
    held = {"ETag": {"schema": {"type": "string"}}}
    answer = {"description": "OK", "headers": dict(held)}
    document = {"paths": {"/a": {"get": {"responses": {"200": answer}}}}}
    describe(document)
    assert answer["headers"].items() >= held.items()
    assert answer["headers"]["RateLimit-Limit"] == {
        "$ref": "#/components/headers/RateLimit-Limit"
    }
