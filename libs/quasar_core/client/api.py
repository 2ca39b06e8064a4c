"""QuasarClient: the API's HTTP interface as plain calls, synchronous.

It knows no key: who wants to write brings `sign(method, path, body) ->
headers`. What may be sent twice without harm is sent again when the
network fails; a write is signed anew each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Self, TypeVar
from uuid import UUID

import httpx2
from pydantic import BaseModel

from quasar_core.client.addresses import (
    LOOPBACK,
    checked_url,
    never_arrived,
)
from quasar_core.client.answers import (
    ApiUnavailable,
    ProblemAnswer,
    UnreadableAnswer,
    checked,
    parsed,
)
from quasar_core.client.streams import moves_of
from quasar_core.contracts.http import (
    Accepted,
    CanaryBoard,
    CommitmentAccepted,
    CommitmentRequest,
    Explanation,
    Leaderboard,
    RevealRequest,
    RoundView,
    SourceView,
    Standings,
    SubmissionAccepted,
    SubmissionMove,
    SubmissionPage,
    SubmissionRequest,
    SubmissionStats,
    SubmissionView,
    WeightsHistory,
    WeightsReport,
)
from quasar_core.contracts.reports import Source

Answer = TypeVar("Answer", bound=BaseModel)
Sign = Callable[[str, str, bytes], Mapping[str, str]]
"""(method, path with query, body) -> the headers of a signature."""

TIMEOUT_SECONDS = 15.0
ATTEMPTS = 4
BACKOFF_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0

_GATEWAY_FAULTS = frozenset({502, 503, 504})


class UnsignedClient(ApiUnavailable):
    """A write was asked of a client that has no key to sign with."""


class QuasarClient:
    """One deployment of the API; safe to use from several threads.

    Every call raises ProblemAnswer where the API refuses, and
    ApiUnavailable where it cannot be reached or understood.
    """

    def __init__(
        self,
        base_url: str,
        sign: Sign | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        attempts: int = ATTEMPTS,
        pause: Callable[[float], None] = time.sleep,
        on_round: Callable[[RoundView], object] | None = None,
    ) -> None:
        """`on_round` hears each answer of `current_round`."""
        url = checked_url(base_url)
        self.base_url = base_url
        self._sign = sign
        self._attempts = attempts
        self._pause = pause
        self._on_round = on_round
        self._http = httpx2.Client(
            base_url=url,
            timeout=timeout_seconds,
            # no proxy of the environment stands before this machine itself
            trust_env=url.host not in LOOPBACK,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- submissions --------------------------------------------------------

    def submit(self, request: SubmissionRequest) -> SubmissionAccepted:
        """Hand in a commit; a repeat is answered with the first one's id."""
        body = request.model_dump_json(exclude_none=True).encode()
        return self._post("/submit_submission", body, SubmissionAccepted)

    def commit(self, commitment_hash: str) -> CommitmentAccepted:
        """Seal a submission; ProblemAnswer 409 where it was sealed before."""
        request = CommitmentRequest(commitment_hash=commitment_hash)
        body = request.model_dump_json(exclude_none=True).encode()
        return self._post("/commit_submission", body, CommitmentAccepted)

    def reveal(self, request: RevealRequest) -> SubmissionAccepted:
        """Open a seal; a repeat is answered as the first was."""
        body = request.model_dump_json(exclude_none=True).encode()
        return self._post("/reveal_submission", body, SubmissionAccepted)

    def withdraw(self, submission_id: UUID | str) -> SubmissionAccepted:
        """Take back a submission of one's own that still waits."""
        path = f"/submissions/{_id(submission_id)}/withdraw"
        return self._post(path, b"", SubmissionAccepted)

    def submission(self, submission_id: UUID | str) -> SubmissionView:
        """One submission: status, stages, verdict, score."""
        return self._get(f"/submissions/{_id(submission_id)}", SubmissionView)

    def source(self, submission_id: UUID | str) -> Source:
        """The archived files of a submission whose round is final."""
        path = f"/submissions/{_id(submission_id)}/source"
        answer = self._get(path, SourceView)
        return Source(**answer.model_dump(exclude={"submission_id"}))

    def submissions(self, **filters: str | int | None) -> SubmissionPage:
        """A page of submissions; `hotkey`, `status`, `round`, `cursor` ..."""
        return self._get("/submissions", SubmissionPage, **filters)

    def events(
        self, submission_id: UUID | str, after: int | None = None
    ) -> Iterator[SubmissionMove]:
        """The submission's moves as they happen, those after `after` first.

        A connection that breaks is opened again where it broke; the
        iteration ends when the API ends the stream.
        """
        path = f"/submissions/{_id(submission_id)}/events"
        return moves_of(
            self._http, path, after, self._attempts, self._pause_before
        )

    def stats(self, limit: int | None = None) -> SubmissionStats:
        """Counts, queue, workers, recent submissions, top performers."""
        return self._get("/get_submission_stats", SubmissionStats, limit=limit)

    # --- boards and rounds --------------------------------------------------

    def leaderboard(
        self, round_number: int | None = None, league: str | None = None
    ) -> Leaderboard:
        """The board of a round (the current one), overall or a league's."""
        return self._get(
            "/leaderboard", Leaderboard, round=round_number, league=league
        )

    def current_round(self) -> RoundView:
        """The open round: all that a verdict depends on."""
        current = self._get("/rounds/current", RoundView)
        if self._on_round is not None:
            self._on_round(current)
        return current

    def round(self, round_number: int) -> RoundView:
        """A round by its number."""
        return self._get(f"/rounds/{int(round_number)}", RoundView)

    def standings(self, round_number: int) -> Standings:
        """The standings of a round, frozen once it is final."""
        return self._get(f"/rounds/{int(round_number)}/standings", Standings)

    def explanation(self, round_number: int, hotkey: str) -> Explanation:
        """Why a miner stands where he stands in a round."""
        path = f"/rounds/{int(round_number)}/explain/{hotkey}"
        return self._get(path, Explanation)

    def canaries(
        self, days: int | None = None, cursor: str | None = None
    ) -> CanaryBoard:
        """What workers made of known code over the last days, a page."""
        return self._get("/canaries", CanaryBoard, days=days, cursor=cursor)

    # --- weights ------------------------------------------------------------

    def weights(self) -> WeightsHistory:
        """What validators set, the newest first."""
        return self._get("/weights", WeightsHistory)

    def report_weights(self, report: WeightsReport) -> Accepted:
        """Tell what was set on chain, or why not; sent once.

        A report would stand twice if it were sent twice, so it is not sent
        again once it may have arrived.
        """
        body = report.model_dump_json().encode()
        return self._post("/weights/reports", body, Accepted, repeatable=False)

    # --- how it is asked ----------------------------------------------------

    def _get(
        self,
        path: str,
        model: type[Answer],
        **query: str | int | None,
    ) -> Answer:
        params = {k: v for k, v in query.items() if v is not None}
        request = self._http.build_request("GET", path, params=params)
        return parsed(self._send(lambda: request), model)

    def _post(
        self,
        path: str,
        body: bytes,
        model: type[Answer],
        *,
        repeatable: bool = True,
    ) -> Answer:
        def signed() -> httpx2.Request:
            request = self._http.build_request(
                "POST",
                path,
                content=body,
                headers={"content-type": "application/json"},
            )
            request.headers.update(self._signature(request, body))
            return request

        return parsed(self._send(signed, repeatable=repeatable), model)

    def _signature(
        self, request: httpx2.Request, body: bytes
    ) -> Mapping[str, str]:
        if self._sign is None:
            raise UnsignedClient("this request must be signed with a wallet")
        target = request.url.raw_path.decode("ascii")
        return self._sign(request.method, target, body)

    def _send(
        self,
        make: Callable[[], httpx2.Request],
        *,
        repeatable: bool = True,
    ) -> httpx2.Response:
        for attempt in range(1, self._attempts + 1):
            last = attempt == self._attempts
            try:
                response = self._http.send(make())
            except httpx2.RequestError as fault:
                if last or not (repeatable or never_arrived(fault)):
                    raise self._unreachable(fault) from fault
            else:
                if last or response.status_code not in _GATEWAY_FAULTS:
                    return checked(response)
            self._pause_before(attempt)
        raise AssertionError("the last attempt returns or raises")

    def _pause_before(self, attempt: int) -> None:
        doubled = BACKOFF_SECONDS * 2 ** (attempt - 1)
        self._pause(min(doubled, LONGEST_PAUSE_SECONDS))

    def _unreachable(self, fault: httpx2.RequestError) -> ApiUnavailable:
        kind = type(fault).__name__
        return ApiUnavailable(
            f"the API at {self.base_url} does not answer ({kind}: {fault});"
            " is it running, and is the address right?"
        )


def _id(submission_id: UUID | str) -> str:
    """The id as it goes into a path; raises ValueError if it is none."""
    return str(UUID(str(submission_id)))


__all__ = [
    "ApiUnavailable",
    "ProblemAnswer",
    "QuasarClient",
    "Sign",
    "UnreadableAnswer",
    "UnsignedClient",
]
