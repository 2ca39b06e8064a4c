"""Server-sent events: a submission's moves, resumed where a line broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2
from pydantic import ValidationError

from quasar_core.client.answers import (
    ApiUnavailable,
    UnreadableAnswer,
    checked,
)
from quasar_core.contracts.http import SubmissionMove

SILENCE_SECONDS = 60.0
"""A stream on which nothing comes for so long, not even a keep-alive
comment, is taken for broken."""

END_EVENT = "end"
"""What the API calls the last event: the submission is at rest."""

NOTHING_MORE = 204
"""The status instead of a stream where all of it has been heard."""


def moves_of(
    http: httpx2.Client,
    path: str,
    after: int | None,
    attempts: int,
    pause: Callable[[int], None],
) -> Iterator[SubmissionMove]:
    """The moves of the stream at `path`, each once and in order.

    Ends when the server ends the stream. A broken connection is resumed
    with `Last-Event-ID`; after `attempts` in a row without a single event
    ApiUnavailable is raised.
    """
    seen = after
    failures = 0
    while True:
        try:
            for move in _connected(http, path, seen):
                failures = 0
                if seen is None or move.sequence > seen:
                    seen = move.sequence
                    yield move
        except httpx2.RequestError as fault:
            failures += 1
            if failures >= attempts:
                raise ApiUnavailable(
                    f"the stream {path} broke {failures} times in a row:"
                    f" {fault}"
                ) from fault
            pause(failures)
        else:
            return


def _connected(
    http: httpx2.Client, path: str, seen: int | None
) -> Iterator[SubmissionMove]:
    headers = {} if seen is None else {"Last-Event-ID": str(seen)}
    patience = http.timeout
    timeout = httpx2.Timeout(
        connect=patience.connect,
        read=SILENCE_SECONDS,
        write=patience.write,
        pool=patience.pool,
    )
    with http.sse(path, headers=headers, timeout=timeout) as source:
        if not source.response.is_success:
            source.response.read()
            checked(source.response)
        if source.response.status_code == NOTHING_MORE:
            return
        for event in source:
            if event.event == END_EVENT:
                return
            if event.data:
                yield _move(path, event.data)


def _move(path: str, data: str) -> SubmissionMove:
    try:
        return SubmissionMove.model_validate_json(data)
    except ValidationError as fault:
        raise UnreadableAnswer(f"{path} told what is no move") from fault
