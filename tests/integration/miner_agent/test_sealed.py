"""`quasar miner submit --sealed`: real git, wallet and API; killed at will."""

from __future__ import annotations

# pylint: disable=redefined-outer-name
import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import structlog
from quasar_core.chain.wallets import create_wallet
from quasar_core.client.api import QuasarClient
from quasar_core.execution.git import create_repository, head
from typer.testing import CliRunner

from services.api.db.models import Submission
from services.miner_agent import output, seals, taking_part
from services.miner_agent.cli import miner
from services.miner_agent.journal import Journal, Step
from services.miner_agent.sealing import Tools
from services.miner_agent.settings import MinerSettings
from tests.support.api import World, make_world
from tests.support.api_server import served
from tests.support.postgres import sqlite_template, sqlite_url
from tests.support.sealed import WINDOW
from tests.support.waiting import eventually

__all__ = ["sqlite_template", "sqlite_url"]

KERNEL = b"def chunk_quasar(q, k, v, beta):\n    return v, None\n"
NAME = "fla/ops/quasar/__init__.py"


class Killed(BaseException):
    """What a kill does, from where Python sees it: nothing comes after."""


@dataclass
class Place:
    """A miner's machine, with the API that he plays at."""

    world: World
    url: str
    folder: Path
    hotkey: str

    @property
    def fork(self) -> Path:
        return self.folder / "fork"

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "VALIDATOR_API_URL": self.url,
            "SUBTENSOR_NETWORK": "test",
            "NETUID": "24",
            "QUASAR_WALLET_PATH": str(self.folder / "wallets"),
        }

    @property
    def arguments(self) -> list[str]:
        return [
            "submit",
            "--sealed",
            f"--repo-path={self.fork}",
            f"--fork-url=file://{self.remote}",
        ]

    def pushed(self) -> list[str]:
        """The branches that anybody can see."""
        said = subprocess.run(
            ["git", "ls-remote", "--heads", str(self.remote)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        return [line.split("/")[-1] for line in said.splitlines()]

    def change(self, text: str) -> None:
        """Write a kernel, and commit nothing."""
        (self.fork / NAME).write_bytes(KERNEL + f"# {text}\n".encode())

    def submissions(self) -> list[dict[str, object]]:
        """What the API has of the miner, newest first."""
        path = f"/submissions?hotkey={self.hotkey}"
        return self.world.client.get(path).json()["submissions"]


@pytest.fixture
def quiet():
    """The API lives in this process, and would log into what is asserted."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
def place(quiet, sqlite_url, tmp_path, monkeypatch):
    del quiet
    monkeypatch.chdir(tmp_path)
    for world in make_world(
        sqlite_url, tmp_path, **WINDOW, git_schemes=("https", "file")
    ):
        world.open_round()
        wallet = create_wallet("miner", "default", tmp_path / "wallets")
        world.chain.register(wallet.hotkey, wallet.coldkey or wallet.hotkey)
        create_repository(tmp_path / "fork", {NAME: KERNEL})
        for command in (
            ["init", "--quiet", "--bare", str(tmp_path / "remote.git")],
            ["-C", "fork", "remote", "add", "origin", "../remote.git"],
        ):
            subprocess.run(["git", *command], check=True)
        with served(world.client.app) as url:
            yield Place(world, url, tmp_path, wallet.hotkey)


@pytest.fixture
def command(place, monkeypatch):
    """The command line, for which each pause is three blocks."""
    hurried = partial(Tools, pause=lambda _: place.world.blocks(3))
    monkeypatch.setattr(output, "Tools", hurried)
    runner = CliRunner(env=place.environment)
    return lambda *arguments: runner.invoke(miner, list(arguments))


def test_what_changed_is_committed_sealed_pushed_and_revealed(place, command):
    place.change("faster")

    done = command(*place.arguments, "--seq-len=1000")

    assert done.exit_code == 0, done.output
    commit = head(place.fork)
    assert f"commit:     {commit}" in done.stdout
    assert "committed what had changed" in done.stderr
    assert "block 3: 7 to go until block 10" in done.stderr
    (row,) = place.submissions()
    assert row["status"] == "queued"
    view = place.world.view(row["submission_id"])
    assert (view["commit_hash"], view["commit_block"]) == (commit, 0)
    assert place.pushed() == [f"quasar-{commit[:12]}"]
    again = command(*place.arguments, "--seq-len=1000", "--json")
    assert json.loads(again.stdout)["submission_id"] == row["submission_id"]
    assert again.stderr == ""
    assert len(place.submissions()) == 1


def test_a_sealed_submission_is_withdrawn_and_nothing_is_left_to_do(
    place, command
):
    done = command(*place.arguments, "--seq-len=1000", "--json")
    submission_id = json.loads(done.stdout)["submission_id"]

    gone = command("withdraw", submission_id)
    resumed = command("resume", f"--repo-path={place.fork}")

    assert gone.stdout.splitlines()[0] == f"withdrawn:  {submission_id}"
    assert "11 more judgings" in gone.stdout
    assert place.world.status(submission_id) == "withdrawn"
    assert resumed.stdout == "nothing is left to reveal\n"
    shown = command("status", submission_id)
    assert shown.stdout == "withdrawn: It was withdrawn.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--remote", "nowhere"], "knows no remote nowhere"),
        (["--seq-len", "499"], "below the smallest league"),
    ],
)
def test_what_cannot_be_done_later_is_refused_before_anything_is_sealed(
    place, command, arguments, message
):
    done = command(*place.arguments, "--seq-len=1000", *arguments)

    assert done.exit_code == 2
    assert message in done.stderr
    assert place.submissions() == []


def kill_points():
    """Before and after each page that is written, and while it waits."""
    yield from ((when, n) for n in range(1, 5) for when in ("before", "after"))
    yield ("waiting", 0)


class Mortal(Journal):
    """A journal that is killed at its n-th page."""

    def __init__(self, directory, when, number):
        super().__init__(directory)
        self.when, self.left = when, number

    def put(self, page):
        self.left -= 1
        if self.left == 0 and self.when == "before":
            raise Killed
        super().put(page)
        if self.left == 0 and self.when == "after":
            raise Killed
        return page


def killed_at(place, client, when, number, wish):
    """Submit, and be killed there; what anybody could see by then."""

    def pause(_):
        if when == "waiting":
            raise Killed
        place.world.blocks(3)

    journal = Mortal(place.folder / "journal", when, number)
    tools = Tools(client, journal, place.fork, lambda _: None, pause)
    with pytest.raises(Killed):
        seals.submit_sealed(tools, client.current_round(), wish)


def test_wherever_it_is_killed_it_goes_on_and_submits_once(place):
    settings = MinerSettings(
        api_url=place.url, wallet_path=place.folder / "wallets", netuid=24
    )
    with taking_part.signed_client(settings) as (client, hotkey):
        journal = Journal(place.folder / "journal")
        for league, (when, number) in enumerate(kill_points(), start=1):
            place.change(f"{when} {number}")
            wish = seals.Wish(
                hotkey=hotkey,
                fork_url=f"file://{place.remote}",
                remote="origin",
                target_sequence_length=500 * league,
                message="Go faster",
            )
            before = place.pushed()
            killed_at(place, client, when, number, wish)
            commit = head(place.fork)
            if when == "waiting":
                assert place.pushed() == before
                # what is done to the fork meanwhile is another matter
                place.change("later")
            tools = Tools(
                client,
                journal,
                place.fork,
                lambda _: None,
                lambda _: place.world.blocks(3),
            )
            accepted, page = seals.submit_sealed(
                tools, client.current_round(), wish
            )
            assert page.commit_hash == commit, (when, number)
            rows = place.submissions()
            assert len(rows) == league, (when, number)
            assert rows[0]["submission_id"] == str(accepted.submission_id)
            assert rows[0]["status"] == "queued", (when, number)
            assert page.branch in place.pushed()
        steps = [page.step for page in journal.pages()]
        assert steps == [Step.REVEALED] * league
        assert seals.resume(tools, client.current_round(), hotkey) == []


def test_a_program_that_is_really_killed_is_resumed_from_its_folder(
    place, command
):
    environment = {**os.environ, **place.environment}
    program = subprocess.Popen(
        [
            Path(sys.executable).with_name("quasar"),
            "miner",
            *place.arguments,
            "--seq-len=1000",
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = place.fork / ".git" / "quasar-sealed"

    def is_sealed():
        return folder.exists() and [
            page for page in Journal(folder).pages() if page.submission_id
        ]

    try:
        eventually(is_sealed, "a sealed submission", 120)
        busy = command("resume", f"--repo-path={place.fork}")
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait()
    assert "another `quasar miner` is at" in busy.stderr
    (page,) = folder.glob("*.json")
    assert page.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert place.pushed() == []

    done = command("resume", f"--repo-path={place.fork}", "--json")

    (accepted,) = json.loads(done.stdout)
    (row,) = place.submissions()
    assert row["submission_id"] == accepted["submission_id"]
    assert row["status"] == "queued"
    assert place.pushed() == [f"quasar-{head(place.fork)[:12]}"]


def test_a_window_that_was_missed_is_told_and_sealed_anew(place, command):
    settings = MinerSettings(
        api_url=place.url, wallet_path=place.folder / "wallets", netuid=24
    )
    with taking_part.signed_client(settings) as (client, hotkey):
        assert isinstance(client, QuasarClient)
        journal = Mortal(place.fork / ".git" / "quasar-sealed", "after", 2)
        tools = Tools(client, journal, place.fork, lambda _: None)
        wish = seals.Wish(
            hotkey, f"file://{place.remote}", "origin", 1_000, "Go faster"
        )
        with pytest.raises(Killed):
            seals.submit_sealed(tools, client.current_round(), wish)
    place.world.blocks(31)

    late = command(*place.arguments, "--seq-len=1000", "--json")
    assert place.pushed() == []
    anew = command(*place.arguments, "--seq-len=1000", "--json")

    assert late.exit_code == 2
    error = json.loads(late.stdout)["error"]
    assert error["code"] == "reveal_too_late"
    assert "nothing was pushed" in error["message"]
    assert json.loads(anew.stdout)["status"] == "queued"
    with place.world.database.read() as session:
        rows = session.query(Submission).order_by(Submission.id).all()
        # the scheduler, which does not run here, lets it expire
        assert [row.status for row in rows] == ["committed", "queued"]
        assert rows[0].is_sealed
