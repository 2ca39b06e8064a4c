"""Kinds: what values a setting takes, in a few words."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

WORDS = {
    bool: "true or false",
    Path: "path",
    tuple: "JSON list",
    dict: "JSON object",
}
NUMBERS = {int: "whole number", float: "number"}
BOUNDS = (
    (Ge, "ge", "from"),
    (Gt, "gt", "above"),
    (Le, "le", "to"),
    (Lt, "lt", "below"),
)


def kind_of(field: FieldInfo) -> str:
    """The kind of a field, with the bounds that it has."""
    annotation = _without_none(field.annotation)
    if annotation in NUMBERS:
        return NUMBERS[annotation] + "".join(_bounds(field))
    origin = get_origin(annotation)
    if origin is Literal:
        return _one_of(get_args(annotation))
    if isinstance(annotation, type):
        if issubclass(annotation, StrEnum):
            return _one_of(tuple(annotation))
        if issubclass(annotation, BaseModel):
            return "JSON object, see below"
    return WORDS.get(origin or annotation, "text")


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in {Union, UnionType}:
        kept = [a for a in get_args(annotation) if a is not NoneType]
        if len(kept) == 1:
            return _bare(kept[0])
    return _bare(annotation)


def _bare(annotation: Any) -> Any:
    """The type under an `Annotated`."""
    metadata = getattr(annotation, "__metadata__", None)
    return annotation if metadata is None else annotation.__origin__


def _one_of(values: tuple[Any, ...]) -> str:
    return " or ".join(f"`{value}`" for value in values)


def _bounds(field: FieldInfo) -> list[str]:
    return [
        f" {word} {getattr(mark, attribute):,}".replace(",", " ")
        for kind, attribute, word in BOUNDS
        for mark in field.metadata
        if isinstance(mark, kind)
    ]
