"""The kinds of values, as the reference names them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from deploy.reference.kinds import kind_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    size: int


class Whole(BaseModel):
    flag: bool
    count: Annotated[int, Field(ge=1, le=65_535)]
    size: float = Field(gt=0, lt=10)
    maybe: Annotated[int, Field(ge=2)] | None = None
    level: Literal["a", "b"] = "a"
    colour: Colour | None = None
    place: Path | None = None
    names: tuple[str, ...] = ()
    table: dict[str, int] = {}
    part: Part = Part(size=1)
    name: Annotated[str, Field(pattern="^a$")] = "a"
    token: SecretStr | None = None


@pytest.mark.parametrize(
    ("name", "kind"),
    {
        "flag": "true or false",
        "count": "whole number from 1 to 65 535",
        "size": "number above 0 below 10",
        "maybe": "whole number",
        "level": "`a` or `b`",
        "colour": "`red` or `blue`",
        "place": "path",
        "names": "JSON list",
        "table": "JSON object",
        "part": "JSON object, see below",
        "name": "text",
        "token": "text",
    }.items(),
)
def test_a_kind_is_told_in_a_few_words(name, kind):
    assert kind_of(Whole.model_fields[name]) == kind
