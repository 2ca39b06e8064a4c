"""The demo: one round with honest miners and cheats, from fork to weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from quasar_core.client.api import QuasarClient
from quasar_core.contracts.http import (
    LeaderboardRow,
    RoundView,
    StandingsRow,
)
from quasar_core.domain.submissions import TERMINAL
from quasar_core.errors import QuasarError

from deploy.local.miners.kinds import KINDS
from deploy.local.miners.roster import (
    Miner,
    Sent,
    await_next_block,
    enlist,
    send,
)
from deploy.local.picture import Picture
from deploy.local.screen import Screen
from deploy.local.stack import Stack
from deploy.local.verdicts import Played, injustices

POLL_SECONDS = 0.5
RESTING = frozenset(status.value for status in TERMINAL)
FINAL = frozenset({"finalised", "weighed"})


class DemoFault(QuasarError):
    """The demo did not come to its end."""


@dataclass
class Timings:
    """How long each part took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure one part."""
        began = time.monotonic()
        yield
        self.seconds[f"{name}_seconds"] = round(time.monotonic() - began, 2)


@dataclass(frozen=True)
class Ending:
    """How the demo's round ended."""

    played: tuple[Played, ...]
    board: tuple[LeaderboardRow, ...]
    standings: tuple[StandingsRow, ...]
    weights: Mapping[str, float]
    timings: Mapping[str, float]

    @property
    def injustices(self) -> tuple[str, ...]:
        """Who did not get what he deserves; empty for a good demo."""
        return injustices(self.played, self.board)

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "leaderboard": [row.model_dump(mode="json") for row in self.board],
            "submissions": [_submission(one) for one in self.played],
            "weights": dict(self.weights),
            "timings": dict(self.timings),
        }


def _submission(one: Played) -> dict[str, Any]:
    view = one.view
    return {
        "id": str(view.submission_id),
        "miner": view.hotkey,
        "kind": one.kind.name,
        "status": view.status,
        "code": one.code,
        "league": view.league,
        "tokens_per_sec": view.score.tokens_per_sec if view.score else None,
        "weighted_score": view.weighted_score,
    }


def play(stack: Stack, screen: Screen, timeout_seconds: float) -> Ending:
    """Start the stack and play one round on it; the caller stops it.

    Raises ProcessFault where a process of the stack ends, DemoFault where
    the round has not come to weights within the time.
    """
    timings = Timings()
    deadline = time.monotonic() + timeout_seconds
    with timings.part("start"):
        stack.start(screen.tell)
    screen.tell(f"the API answers at {stack.wiring.api_url}")
    with stack.client() as client:
        game = Game(stack, screen, client, deadline)
        with timings.part("submit"):
            game.submit_all()
        with timings.part("judge"):
            game.watch(game.all_at_rest)
        with timings.part("weigh"):
            game.close_round()
            game.watch(game.weighed)
        return game.ending(timings.seconds)


class Game:
    """One round on a running stack, as its spectators follow it."""

    def __init__(
        self,
        stack: Stack,
        screen: Screen,
        client: QuasarClient,
        deadline: float,
    ) -> None:
        self._stack = stack
        self._screen = screen
        self._client = client
        self._deadline = deadline
        self._sent: list[Sent] = []
        self._round = client.current_round()

    def submit_all(self) -> None:
        """Make every miner and send his fork in, copies a block later."""
        place = self._stack.place
        self._screen.tell(f"making {len(KINDS)} miners with a fork each")
        miners = enlist(
            KINDS,
            chain=self._stack.chain,
            wallets=place.wallets,
            forks=place.forks,
            league_unit=self._stack.rules.league_unit,
        )
        self._screen.tell("sending the submissions in, signed")
        for miner in miners:
            if miner.kind.copies is not None:
                await_next_block(self._stack.chain)
            self._sent.append(self._send(miner))

    def _send(self, miner: Miner) -> Sent:
        receiver = self._round.receiver_hotkey
        return send(miner, self._stack.wiring.api_url, receiver)

    def watch(self, done: Callable[[Picture], bool]) -> None:
        """Show the round until it is `done`."""
        while True:
            self._stack.processes.check()
            picture = self._look()
            self._screen.show(picture)
            if done(picture):
                return
            if time.monotonic() > self._deadline:
                raise DemoFault(
                    "the demo took longer than it may; see the logs in"
                    f" {self._stack.place.logs}"
                )
            time.sleep(POLL_SECONDS)

    def _look(self) -> Picture:
        chain = self._stack.chain
        return Picture(
            sent=tuple(self._sent),
            stats=self._client.stats(limit=2 * len(KINDS)),
            round_view=self._client.round(self._round.round_number),
            block=chain.block(),
            weights=self._weights(),
        )

    def _weights(self) -> Mapping[str, float]:
        chain = self._stack.chain
        hotkeys = {n.uid: n.hotkey for n in chain.metagraph().neurons}
        weights = chain.weights_of(self._stack.identities.validator.hotkey)
        return {
            hotkeys[uid]: share
            for uid, share in sorted(weights.items(), key=lambda it: -it[1])
            if share > 0
        }

    def all_at_rest(self, picture: Picture) -> bool:
        """Whether every submission has its verdict."""
        rows = [picture.summary_of(one) for one in self._sent]
        return all(row and row.status in RESTING for row in rows)

    def close_round(self) -> None:
        """Let the chain reach the round's last block without the wait."""
        view: RoundView = self._round
        left = view.closes_at_block - self._stack.chain.block()
        self._screen.tell(
            f"all judged: the chain moves on to block {view.closes_at_block},"
            f" where round {view.round_number} closes"
        )
        self._stack.chain.advance(max(left, 0))

    def weighed(self, picture: Picture) -> bool:
        """Whether the round is final and its weights stand on chain."""
        return picture.round_view.status in FINAL and bool(picture.weights)

    def ending(self, timings: Mapping[str, float]) -> Ending:
        """Everything that is known at the end."""
        number = self._round.round_number
        return Ending(
            played=tuple(self._played()),
            board=self._client.leaderboard(round_number=number).rows,
            standings=self._client.standings(number).rows,
            weights=self._weights(),
            timings=timings,
        )

    def _played(self) -> Sequence[Played]:
        return [
            Played(one.miner.kind, self._client.submission(one.submission_id))
            for one in self._sent
        ]
