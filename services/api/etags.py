"""ETags: whether what a caller holds is what there is."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

IfNoneMatch = Annotated[str | None, Header(max_length=1_024)]

UNCHANGED = {304: {"description": "As it was: see `If-None-Match`."}}


def fresh(tag: str, if_none_match: str | None) -> bool:
    """Whether what the caller holds is what there is."""
    held = (if_none_match or "").split(",")
    return any(t.strip().removeprefix("W/") in (tag, "*") for t in held)
