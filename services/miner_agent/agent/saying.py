"""Saying what happens: a sentence for people, an object for machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from services.miner_agent.explain import printable


class Say(Protocol):
    """Tell of an event: its name, a sentence, and its fields."""

    def __call__(self, event: str, sentence: str, **fields: Any) -> None:
        """Tell it."""
        ...


def saying(echo: Callable[[str], None], *, as_json: bool) -> Say:
    """What tells each event on a line of its own."""

    def say(event: str, sentence: str, **fields: Any) -> None:
        if as_json:
            echo(json.dumps({"event": event, "told": sentence, **fields}))
        else:
            echo(printable(sentence))

    return say
