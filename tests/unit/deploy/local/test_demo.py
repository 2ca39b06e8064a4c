"""The demo's own parts; the whole of it is played in tests/e2e."""

import json
from types import SimpleNamespace

import pytest
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.errors import RejectionCode

from deploy.local.demo import DemoFault, Ending, Game, Timings
from deploy.local.miners.kinds import kind_named
from deploy.local.verdicts import Played
from tests.support.played import (
    hotkey_of,
    leaderboard_row,
    round_view,
    stats_of,
    submission_view,
    summary_row,
)
from tests.support.roster import sent_by

VALIDATOR = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
MINER = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"


class Client:
    """Answers with one scripted list of rows after another."""

    def __init__(self, *rows, status="open"):
        self._rows = list(rows)
        self._status = status

    def current_round(self):
        return round_view()

    def round(self, number):
        assert number == 1
        return round_view(self._status)

    def stats(self, limit):
        assert limit >= 8
        return stats_of(*self._rows.pop(0))


class Processes:
    def check(self):
        """All of them run."""


class Screen:
    def __init__(self):
        self.pictures = []

    def tell(self, line):
        """Nobody looks."""

    def show(self, picture):
        self.pictures.append(picture)


@pytest.fixture
def chain(tmp_path):
    genesis = Genesis(block_seconds=1_000.0)
    return LocalChain.create(tmp_path / "chain.json", genesis)


def game_on(chain, client, deadline=float("inf")):
    stack = SimpleNamespace(
        chain=chain,
        processes=Processes(),
        place=SimpleNamespace(logs="LOGS"),
        identities=SimpleNamespace(
            validator=SimpleNamespace(hotkey=VALIDATOR)
        ),
    )
    screen = Screen()
    game = Game(stack, screen, client, deadline)
    game._sent = [sent_by("honest_fast", 0), sent_by("liar", 1)]
    return game, screen


def test_the_round_is_watched_until_every_submission_has_its_verdict(
    chain, monkeypatch
):
    monkeypatch.setattr("deploy.local.demo.POLL_SECONDS", 0.0)
    running = [summary_row(0, "verifying"), summary_row(1, "queued")]
    done = [
        summary_row(0, "scored", tokens_per_sec=1.0),
        summary_row(1, "rejected", code="output_mismatch"),
    ]
    game, screen = game_on(chain, Client([], running, done))
    game.watch(game.all_at_rest)
    assert len(screen.pictures) == 3


def test_a_demo_that_takes_too_long_says_where_the_logs_are(chain):
    game, _ = game_on(chain, Client([]), deadline=0.0)
    with pytest.raises(DemoFault, match="LOGS"):
        game.watch(game.all_at_rest)


def test_closing_the_round_moves_the_chain_to_its_last_block(chain):
    game, _ = game_on(chain, Client())
    game.close_round()
    assert chain.block() == 900
    game.close_round()
    assert chain.block() == 900


def test_a_round_is_weighed_once_it_is_final_and_weights_stand_on_chain(
    chain,
):
    chain.register(VALIDATOR, VALIDATOR, validator_permit=True)
    chain.register(MINER, MINER)
    client = Client([], [], status="finalised")
    game, screen = game_on(chain, client)
    game.watch(lambda _: True)
    assert not game.weighed(screen.pictures[-1])
    chain.set_weights({1: 1.0}, VALIDATOR)
    game.watch(game.weighed)
    assert screen.pictures[-1].weights == {MINER: 1.0}


def test_each_part_of_the_demo_is_timed():
    timings = Timings()
    with timings.part("judge"):
        pass
    assert list(timings.seconds) == ["judge_seconds"]
    assert timings.seconds["judge_seconds"] >= 0.0


def test_the_ending_is_one_json_object_with_what_was_agreed():
    code = RejectionCode.PROCESS_EXIT
    ending = Ending(
        played=(
            Played(kind_named("honest_fast"), submission_view(0, "scored")),
            Played(kind_named("killer"), submission_view(1, "rejected", code)),
        ),
        board=(leaderboard_row(1, 0),),
        standings=(),
        weights={hotkey_of(0): 1.0},
        timings={"judge_seconds": 3.5},
    )
    found = json.loads(json.dumps(ending.as_json()))
    assert set(found) == {"leaderboard", "submissions", "weights", "timings"}
    assert found["leaderboard"][0]["hotkey"] == hotkey_of(0)
    assert found["weights"] == {hotkey_of(0): 1.0}
    assert found["submissions"] == [
        {
            "id": "00000000-0000-0000-0000-000000000001",
            "miner": hotkey_of(0),
            "kind": "honest_fast",
            "status": "scored",
            "code": None,
            "league": "200k",
            "tokens_per_sec": 1_000.0,
            "weighted_score": 750.0,
        },
        {
            "id": "00000000-0000-0000-0000-000000000002",
            "miner": hotkey_of(1),
            "kind": "killer",
            "status": "rejected",
            "code": "process_exit",
            "league": "200k",
            "tokens_per_sec": None,
            "weighted_score": None,
        },
    ]
    assert ending.injustices == ()
