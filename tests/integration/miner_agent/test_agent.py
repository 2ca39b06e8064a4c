"""The agent on real git, wallet and API, killed again and again."""

from __future__ import annotations

# pylint: disable=redefined-outer-name
import json
import os
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from uuid import UUID

import pytest
from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.client.api import QuasarClient
from quasar_core.errors import ProblemCode
from quasar_core.execution.git import create_repository
from typer.testing import CliRunner

from services.miner_agent import taking_part
from services.miner_agent.agent import app
from services.miner_agent.agent.bench import LocalJudge
from services.miner_agent.agent.desk import Desk
from services.miner_agent.agent.limits import Budget
from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.loop import Agent
from services.miner_agent.agent.settings import SECRETS
from services.miner_agent.agent.tables import State
from services.miner_agent.agent.task import Task
from services.miner_agent.agent.workshop import Workshop
from services.miner_agent.cli import miner
from services.miner_agent.journal import Journal
from services.miner_agent.proposers.search import Search
from services.miner_agent.sealing import Tools
from services.miner_agent.settings import MinerSettings
from tests.integration.miner_agent.test_sealed import (
    Killed,
    Place,
    place,
    quiet,
    sqlite_template,
    sqlite_url,
)
from tests.support.agents import KERNEL, ScriptedJudge
from tests.support.github_server import TOKEN, github_server
from tests.support.judged import a_source, judge
from tests.support.model_server import Reply, completion, model_server

__all__ = ["place", "quiet", "sqlite_template", "sqlite_url"]

NAME = "fla/ops/quasar/__init__.py"
LENGTH = 1_000


class Death:
    """Comes before or after the n-th thing that is written down."""

    def __init__(self, when: str, number: int) -> None:
        self.when, self.left = when, number

    def __call__(self, when: str) -> None:
        self.left -= when == "before"
        if self.left == 0 and when == self.when:
            raise Killed


def mortal(kind, death, *methods):
    """A class whose writes may be the last thing that happens."""

    def deadly(name):
        def method(self, *arguments, **fields):
            death("before")
            result = getattr(kind, name)(self, *arguments, **fields)
            death("after")
            return result

        return method

    return type(
        kind.__name__, (kind,), {name: deadly(name) for name in methods}
    )


def judged_by_the_platform(place: Place) -> None:
    """Let three blocks pass, and judge whatever is in the queue."""
    place.world.blocks(3)
    for row in place.submissions():
        if row["status"] == "queued":
            submission_id = UUID(str(row["submission_id"]))
            view = place.world.view(submission_id)
            source = a_source(f"name = {view['commit_hash']!r}\n")
            judge(place.world, submission_id, 1.0, source)


def one_life(place: Place, client, hotkey: str, death: Death) -> str:
    """Work a shift in the place, unless death comes first."""
    book_kind = mortal(Logbook, death, "add", "put")
    journal_kind = mortal(Journal, death, "put")
    shop_kind = mortal(Workshop, death, "commit")
    book = book_kind(place.fork / ".git" / "agent")

    def say(event, sentence, **fields):
        del event, sentence, fields

    tools = Tools(
        client,
        journal_kind(place.folder / "seals"),
        place.fork,
        lambda _: None,
        lambda _: judged_by_the_platform(place),
    )
    try:
        task = Task(
            workshop=shop_kind(place.fork),
            logbook=book,
            judging=ScriptedJudge(),
            proposer=Search(restarts=0),
            desk=Desk(
                tools,
                book,
                say,
                hotkey,
                f"file://{place.remote}",
                "origin",
                LENGTH,
            ),
            say=say,
            sequence_length=LENGTH,
            least_gain=0.1,
            budget=Budget(tries=6),
            pause=lambda _: judged_by_the_platform(place),
        )
        return Agent(task, book.begin()[0]).work()
    finally:
        book.close()


def deaths():
    """Ever later, then from the beginning; before what is told, and after."""
    for number in cycle(range(1, 8)):
        yield Death("before", number)
        yield Death("after", number)


def test_wherever_it_is_killed_each_improvement_is_handed_in_once(place):
    place.fork.joinpath(NAME).write_text(KERNEL)
    Workshop(place.fork).commit({"__init__.py": KERNEL}, "Begin slowly")
    settings = MinerSettings(
        api_url=place.url, wallet_path=place.folder / "wallets", netuid=24
    )
    killed = 0
    with taking_part.signed_client(settings) as (client, hotkey):
        for death in islice(deaths(), 300):
            try:
                one_life(place, client, hotkey, death)
            except Killed:
                killed += 1
            else:
                break
        else:
            pytest.fail("it never comes to its end")
    assert killed > 10
    book = Logbook(place.fork / ".git" / "agent")
    tries = book.tries()
    assert [one.ended_because is None for one in book.shifts()] == [False]
    book.close()
    kept = [one for one in tries if one.commit_hash]
    sent = [one for one in kept if one.state == State.DECIDED]
    assert "SPEED = 8" in place.fork.joinpath(NAME).read_text()
    assert {one.state for one in kept} <= {State.DECIDED, State.OVERTAKEN}
    rows = place.submissions()
    assert {row["status"] for row in rows} == {"scored"}
    assert sorted(
        str(place.world.view(row["submission_id"])["commit_hash"])
        for row in rows
    ) == sorted(str(one.commit_hash) for one in sent)
    assert sent[-1] is kept[-1]
    assert len(tries) == len({one.summary for one in tries})


@pytest.fixture
def agent(place, monkeypatch):
    """`quasar miner ...` in the place, with a judge that is not here."""
    for name in ("judge", "race", "verify"):
        method = getattr(ScriptedJudge, name)

        def called(self, *sources, method=method):
            del self
            # nothing that is started from here on could tell a token
            assert not set(SECRETS) & set(os.environ)
            return method(ScriptedJudge(), *sources)

        monkeypatch.setattr(LocalJudge, name, called)
    hurried = partial(app.run, pause=lambda _: judged_by_the_platform(place))
    monkeypatch.setattr(app, "run", hurried)
    runner = CliRunner(env=place.environment)

    def call(*arguments, **environment):
        return runner.invoke(miner, list(arguments), env=environment)

    return call


def base_in(folder: Path) -> str:
    """A repository to begin with."""
    create_repository(folder, {NAME: KERNEL.encode()})
    return f"file://{folder}"


def told(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_newcomers_first_night(place, agent, tmp_path):
    base = base_in(tmp_path / "base")
    own = str(tmp_path / "own")

    done = agent(
        "run",
        f"--base={base}",
        f"--repo-path={own}",
        f"--fork-url={base}",
        "--once",
        "--json",
    )
    assert done.exit_code == 0, done.output
    events = [one["event"] for one in told(done)]
    assert [one for one in events if one not in {"stage", "sealing"}] == [
        *("fork", "shift", "start", "started", "proposed", "kept"),
        *("committed", "sealed", "revealed", "decided", "ended"),
    ]
    (row,) = place.submissions()
    assert row["status"] == "scored"
    branches = tmp_path / "base/.git/refs/heads"
    assert len(list(branches.glob("quasar-*"))) == 1


def test_a_fork_on_github_a_model_and_no_secret_anywhere(
    place, agent, tmp_path, caplog
):
    base_in(tmp_path / "base")
    key = "sk-very-secret"
    faster = KERNEL.replace("SPEED = 1", "SPEED = 4")
    with github_server(tmp_path / "hub") as hub, model_server() as model:
        hub.add("quasar/base", tmp_path / "base")
        hub.polls_until_ready = 0
        model.replies = [
            Reply(b"busy", 429, {"Retry-After": "1"}),
            completion("I would rather not."),
            completion("=== FILE ../../escape.py\nx = 1\n=== END\n"),
            completion(
                f"SUMMARY: four times\n=== FILE {NAME}\n{faster}=== END\n"
            ),
        ]
        own = tmp_path / "own"

        done = agent(
            "run",
            "--github=quasar/base",
            f"--repo-path={own}",
            f"--fork-url=file://{hub.root}/me/base.git",
            f"--seq-len={LENGTH}",
            "--proposer=model",
            f"--model-url={model.url}",
            "--max-tries=3",
            "--max-cost=1.0",
            "--json",
            GITHUB_TOKEN=TOKEN,
            OPENAI_API_KEY=key,
            QUASAR_GITHUB_URL=hub.url,
            QUASAR_MODEL_PROMPT_PRICE="1",
            QUASAR_MODEL_REPLY_PRICE="1",
        )
        shown = agent("journal", f"--repo-path={own}", "--json")
    assert done.exit_code == 0, done.output
    assert hub.pushed_by
    (row,) = place.submissions()
    assert row["status"] == "scored"
    asked = json.dumps(model.asked)
    written = b"".join(
        path.read_bytes() for path in own.rglob("*") if path.is_file()
    )
    for secret in (TOKEN, key):
        for text in (asked, done.output, shown.output, caplog.text):
            assert secret not in text
        assert secret.encode() not in written
    (value,) = told(shown)
    codes = [one["code"] for one in value["tries"]]
    assert codes == [None, "unusable_reply", "unusable_reply", None]
    assert value["tries"][-1]["summary"] == "four times"
    assert 0 < value["spent"] < 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--github=a/b"], "--github needs a token"),
        (["--proposer=model"], "--proposer model needs --model-url"),
        (
            ["--proposer=model", "--model-url=http://x", "--max-cost=1"],
            "--max-cost needs prices",
        ),
        (["--quiet-hours=late"], "22:00-07:30"),
        (["--max-tries=0"], "greater than or equal to 1"),
        (["--seq-len=1"], "below the smallest league"),
        (["--fork-url=file:///f", "--remote=none"], "knows no remote none"),
        (["--remote=none"], "name its public address with --fork-url"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is(
    place, agent, arguments, message
):
    done = agent("run", f"--repo-path={place.fork}", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.fixture
def api_is_away(monkeypatch):
    """For the first calls of a client that ask for the round."""
    real = QuasarClient.current_round
    faults = [
        ApiUnavailable("the API does not answer"),
        ProblemAnswer(503, ProblemCode.UNAVAILABLE, "no database", 1.0),
    ]

    def current_round(self):
        if faults:
            raise faults.pop(0)
        return real(self)

    monkeypatch.setattr(QuasarClient, "current_round", current_round)
    return faults


def test_an_api_that_is_away_when_it_begins_is_waited_for(
    place, agent, api_is_away
):
    place.fork.joinpath(NAME).write_text(KERNEL)
    Workshop(place.fork).commit({"__init__.py": KERNEL}, "Begin slowly")
    own = (f"--repo-path={place.fork}", f"--fork-url=file://{place.remote}")
    once = agent("run", *own, "--once")
    assert once.exit_code == 2
    assert once.stderr == "error: the API does not answer\n"
    done = agent("run", *own, "--max-tries=1", "--json")
    assert api_is_away == []
    assert done.exit_code == 0, done.output
    events = [one["event"] for one in told(done)]
    assert events[:3] == ["fork", "waiting", "shift"]
    assert "ended" in events


def test_a_dry_run_tells_what_it_would_keep_and_does_nothing(
    place, agent, tmp_path
):
    base = base_in(tmp_path / "base")
    own = tmp_path / "own"

    done = agent(
        "run",
        f"--base={base}",
        f"--repo-path={own}",
        "--dry-run",
        "--max-tries=2",
        "--min-gain=0.5",
    )
    assert done.exit_code == 0, done.output
    assert "try 2: kept: 1.99 to 2.01 x the best one's speed" in done.stdout
    assert "try 3: kept" in done.stdout
    assert place.submissions() == []
    assert own.joinpath(NAME).read_text() == KERNEL
    shown = agent("journal", f"--repo-path={own}")
    assert "the journal is empty" in shown.stdout


@pytest.mark.parametrize(
    ("name", "word"), [("run", "--quiet-hours"), ("journal", "--repo-path")]
)
def test_help_teaches(agent, name, word):
    shown = agent(name, "--help")
    assert shown.exit_code == 0
    assert word in shown.stdout
    assert "--json" in shown.stdout
