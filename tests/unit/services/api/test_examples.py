"""Every body of the document has an example that its schema accepts."""

import jsonschema_rs
import pytest

from services.api.app import create_app
from services.api.examples import example_of, fits
from tests.support.api import settings_for

DOCUMENT = create_app(settings_for("sqlite:////dev/null/nothing.db")).openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]


def bodies():
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            sent = operation.get("requestBody", {}).get("content", {})
            for kind, media in sent.items():
                yield f"{method} {path} {kind}", media
            for status, answer in operation["responses"].items():
                for kind, media in answer.get("content", {}).items():
                    if kind.endswith("json"):
                        yield f"{method} {path} {status}", media


BODIES = dict(bodies())


@pytest.mark.parametrize("where", BODIES)
def test_a_body_has_an_example_that_its_schema_accepts(where):
    media = BODIES[where]
    schema = {**media["schema"], "components": {"schemas": SCHEMAS}}
    jsonschema_rs.validator_for(schema).validate(media["example"])


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"const": 3}, 3),
        ({"enum": ["a", "b"]}, "a"),
        (
            {"type": "array", "minItems": 2, "items": {"type": "null"}},
            [None] * 2,
        ),
        ({"type": "array", "prefixItems": [{"type": "boolean"}]}, [True]),
        ({"type": "number", "exclusiveMinimum": 5, "maximum": 9}, 5),
        ({"type": "string"}, "..."),
    ],
)
def test_an_example_is_of_its_schemas_kind(schema, example):
    assert example_of(schema, {}) == example


def test_a_word_of_the_game_is_used_only_where_it_fits():
    assert example_of({"type": "integer"}, {}, "hotkey") == 1
    either = {"anyOf": [{"$ref": "#/x/Word"}, {"type": "null"}]}
    assert fits(None, either, {"Word": {"enum": ["a"]}})
    assert not fits("b", either, {"Word": {"enum": ["a"]}})
