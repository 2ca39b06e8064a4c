"""Watching: every move as it happens, until the submission is at rest."""

from __future__ import annotations

import io
from uuid import UUID

import pytest
from quasar_core.client.api import ProblemAnswer, QuasarClient
from quasar_core.contracts.http import StageView
from quasar_core.contracts.reports import Score
from quasar_core.errors import ProblemCode, Stage
from rich.console import Console

from services.miner_agent.watch import (
    at_rest,
    follow,
    show_live,
    told,
    watched,
)
from tests.support.api_server import (
    FakeApi,
    moved,
    problem,
    serving,
    submission_view,
)

ID = UUID(int=7)
SCORE = Score(
    tokens_per_sec=1_000,
    tokens_per_sec_low=900,
    tokens_per_sec_high=1_100,
    speedup_vs_baseline=2.0,
)
QUEUED = submission_view(ID)
RUNNING = submission_view(
    ID,
    status="benchmarking",
    stage=Stage.SMOKE,
    stages=(StageView(stage=Stage.FETCH, seconds=0.25),),
)
SCORED = submission_view(ID, status="scored", score=SCORE)
MOVES = [
    moved(3, None, "queued"),
    moved(4, "queued", "benchmarking"),
    moved(9, "benchmarking", "scored"),
]


@pytest.fixture(scope="module")
def server():
    with serving() as api:
        yield api


@pytest.fixture
def api(server) -> FakeApi:
    server.__dict__.update(FakeApi(url=server.url).__dict__)
    server.moves = list(MOVES)
    return server


@pytest.fixture
def client(api):
    with QuasarClient(api.url, pause=lambda _: None) as client:
        yield client


def test_each_move_is_followed_to_the_end(client, api):
    api.views[ID] = [QUEUED, QUEUED, RUNNING, SCORED]

    steps = list(follow(client, ID, lambda _: None))

    assert [step.move for step in steps] == [None, *MOVES]
    assert [step.view.status for step in steps] == [
        "queued",
        "queued",
        "benchmarking",
        "scored",
    ]


def test_what_is_at_rest_is_told_at_once(client, api):
    api.views[ID] = [SCORED]

    assert [step.view for step in follow(client, ID)] == [SCORED]
    assert at_rest(SCORED)
    assert not at_rest(RUNNING)


def test_a_stream_that_ends_early_is_taken_up_again(client, api):
    api.moves = MOVES[:2]
    api.views[ID] = [QUEUED, QUEUED, RUNNING, RUNNING, SCORED]
    pauses: list[float] = []

    steps = list(follow(client, ID, pauses.append))

    assert steps[-1].view == SCORED
    assert api.last_event_ids == [None, "4"]
    assert pauses == [1.0, 1.0]


def test_while_there_are_too_many_streams_it_is_polled(client, api):
    api.views[ID] = [QUEUED, RUNNING, SCORED]

    def refuse(_: float) -> None:
        api.fail_with = []

    steps = follow(client, ID, refuse)
    first = next(steps)
    api.fail_with = [problem(429, ProblemCode.RATE_LIMITED, "100 streams")]
    rest = list(steps)

    assert first.view.status == "queued"
    assert rest[-1].view.status == "scored"


def test_an_unknown_submission_is_told(client):
    with pytest.raises(ProblemAnswer, match="no such submission"):
        next(follow(client, ID))


def test_a_refusal_that_stays_ends_the_watching(client, api):
    api.views[ID] = [QUEUED]
    steps = follow(client, ID)
    next(steps)
    api.fail_with = [problem(404, ProblemCode.NOT_FOUND, "it is gone")]

    with pytest.raises(ProblemAnswer, match="it is gone"):
        next(steps)


def test_the_table_shows_what_was_passed_and_what_runs(client, api):
    api.views[ID] = [QUEUED, RUNNING, RUNNING, SCORED]
    screen = io.StringIO()
    console = Console(
        file=screen, force_terminal=True, color_system=None, width=100
    )

    view = show_live(follow(client, ID, lambda _: None), console)

    shown = screen.getvalue()
    assert view == SCORED
    assert "passed, 0.25 s" in shown
    assert "running" in shown
    assert "1,000 tokens/s" in shown


def test_where_there_is_no_terminal_each_move_is_a_line(client, api, capsys):
    api.views[ID] = [QUEUED, QUEUED, RUNNING, SCORED]

    watched(client, ID, as_json=False)

    assert capsys.readouterr().out.splitlines() == [
        "00:00:00 new -> queued",
        "00:00:00 queued -> benchmarking",
        "00:00:00 benchmarking -> scored",
    ]


def test_machines_get_each_move_as_json(client, api, capsys):
    api.views[ID] = [QUEUED, QUEUED, RUNNING, SCORED]

    watched(client, ID, as_json=True)

    lines = capsys.readouterr().out.splitlines()
    assert lines == [move.model_dump_json() for move in MOVES]


def test_a_stage_is_told_by_its_name():
    from services.miner_agent.watch import Step

    move = MOVES[0].model_copy(update={"kind": "stage", "stage": Stage.TIMED})

    assert told(Step(RUNNING, move)) == "00:00:00 stage timed"
    assert told(Step(RUNNING, None)) is None
