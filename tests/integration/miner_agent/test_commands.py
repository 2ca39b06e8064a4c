"""`quasar miner`: a newcomer's way, with real git, wallet, chain, HTTP."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from quasar_core.chain.local import LocalChain
from quasar_core.contracts.http import Verdict
from quasar_core.contracts.reports import Rejection
from quasar_core.errors import (
    REJECTION_SENTENCES,
    ProblemCode,
    RejectionCode,
    Stage,
)
from quasar_core.judge.jobs import ReproducedReport
from typer.testing import CliRunner

from services.miner_agent import reproducing
from services.miner_agent.cli import miner
from tests.support.api_server import (
    FakeApi,
    moved,
    problem,
    serving,
    submission_view,
)
from tests.support.judged import a_manifest, a_source

ID = UUID(int=7)


@pytest.fixture(scope="module")
def server():
    with serving() as api:
        yield api


@pytest.fixture
def api(server) -> FakeApi:
    server.__dict__.update(FakeApi(url=server.url).__dict__)
    return server


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(api, place):
    runner = CliRunner(
        env={
            "VALIDATOR_API_URL": api.url,
            "SUBTENSOR_NETWORK": f"local://{place}/chain.json",
            "NETUID": "24",
            "QUASAR_WALLET_PATH": str(place / "wallets"),
        }
    )

    def call(*arguments: str):
        return runner.invoke(miner, list(arguments))

    return call


@pytest.fixture
def chain(place) -> LocalChain:
    return LocalChain.create(place / "chain.json")


def test_a_newcomer_becomes_somebody_and_hands_in_his_commit(
    command, api, chain, place
):
    made = command("init")
    sent = command("submit", "--repo-path", "quasar-fork", "--seq-len", "512")

    (neuron,) = chain.metagraph().neurons
    commit = subprocess.run(
        ["git", "-C", "quasar-fork", "rev-parse", "HEAD"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert (made.exit_code, sent.exit_code) == (0, 0)
    assert f"hotkey:     {neuron.hotkey}" in made.stdout
    assert "registered: as uid 0" in made.stdout
    assert api.callers == [neuron.hotkey]
    assert api.submitted == [
        {
            "fork_url": f"file://{place}/quasar-fork",
            "commit_hash": commit,
            "target_sequence_length": 512,
        }
    ]
    submission_id = next(iter(api.views))
    assert f"submission: {submission_id}" in sent.stdout
    assert "status:     queued, number 3 in the queue" in sent.stdout
    assert "expected:   in about 40 s" in sent.stdout
    assert "quota:      1 more judgings in this round" in sent.stdout
    assert sent.stderr == ""


def test_a_dirty_working_tree_is_warned_about(command, chain):
    command("init")
    kernel = Path("quasar-fork/fla/ops/quasar/chunk.py")
    kernel.write_text(kernel.read_text() + "\nx = 1\n")

    sent = command("submit", "--repo-path", "quasar-fork", "--seq-len", "512")
    machine = command(
        "submit", "--repo-path", "quasar-fork", "--seq-len", "512", "--json"
    )

    assert sent.exit_code == 0
    assert sent.stderr.startswith("warning: fla/ops/quasar has changes")
    assert "not committed" in json.loads(machine.stdout)["warnings"][0]


def test_machines_get_one_object(command, chain):
    made = json.loads(command("init", "--json").stdout)
    sent = json.loads(
        command(
            "submit",
            "--json",
            "--seq-len=512",
            "--repo-path=quasar-fork",
            "--fork-url=https://example.org/miner/fork",
            "--tokens-per-sec=1000",
        ).stdout
    )

    assert (made["uid"], made["warnings"]) == (0, [])
    assert len(made["commit_hash"]) == 40
    assert UUID(sent["submission_id"])
    assert sent["quota"]["judged_this_round"] == 11


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--repo-path", "nowhere"], "invalid_request", "no git repository"),
        (["--seq-len", "511"], "invalid_request", "smallest league"),
        (["--wallet-name", "x"], "invalid_request", "there is no wallet x/"),
        (
            ["--api-url", "http://127.0.0.1:9"],
            "unavailable",
            "is it running",
        ),
        (["--api-url", "nowhere"], "unavailable", "no address of an API"),
        (["--chain-url", "finney"], "invalid_request", "--fork-url"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_sent(
    command, api, chain, arguments, code, message
):
    command("init")
    usual = ["submit", "--repo-path", "quasar-fork", "--seq-len", "512"]

    plain = command(*usual, *arguments)
    machine = command(*usual, *arguments, "--json")

    assert (plain.exit_code, machine.exit_code) == (2, 2)
    assert plain.stderr.startswith("error: ")
    assert message in plain.stderr
    assert json.loads(machine.stdout)["error"]["code"] == code
    assert api.submitted == []


def test_a_refusal_of_the_api_is_told_with_its_code(command, api, chain):
    command("init")
    arguments = ["submit", "--repo-path=quasar-fork", "--seq-len=512"]
    views = api.views

    class Full(dict):
        """Refuses what comes after the round was read twice."""

        def setdefault(self, *arguments):
            raise AssertionError("a refused submission is not stored")

    api.views = Full(views)
    api.round = None
    plain = command(*arguments)
    api.fail_with = [problem(429, ProblemCode.QUOTA_EXCEEDED, "1 waiting")]
    machine = command(*arguments, "--json")

    assert (plain.exit_code, machine.exit_code) == (2, 2)
    assert plain.stderr == "error: no round is open\n"
    assert json.loads(machine.stdout)["error"] == {
        "code": "quota_exceeded",
        "message": "1 waiting",
    }


def rejected(code: RejectionCode):
    rejection = Rejection(
        code=code, stage=Stage.SCREEN, evidence={"file": "a.py", "line": 3}
    )
    sentence = REJECTION_SENTENCES[code]
    return submission_view(
        ID,
        status="rejected",
        verdict=Verdict(rejection=rejection, sentence=sentence),
    )


def test_a_verdict_is_told_in_plain_words(command, api):
    api.views[ID] = [rejected(RejectionCode.FORBIDDEN_IMPORT)]

    shown = command("status", str(ID))

    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [
        "rejected at stage screen: forbidden_import",
        REJECTION_SENTENCES[RejectionCode.FORBIDDEN_IMPORT],
        "in a.py, line 3",
    ]


@pytest.mark.parametrize(
    ("last", "exit_code"),
    [
        (submission_view(ID, status="scored"), 0),
        (rejected(RejectionCode.NOT_TEXT), 1),
        (submission_view(ID, status="infra_failed"), 2),
    ],
)
def test_watching_ends_with_the_verdicts_exit_code(
    command, api, last, exit_code
):
    queued = submission_view(ID)
    api.moves = [moved(1, None, "queued"), moved(2, "queued", last.status)]
    api.views[ID] = [queued, queued, last]
    plain = command("status", str(ID), "--watch")
    api.views[ID] = [queued, queued, last]
    machine = command("status", str(ID), "--watch", "--json")

    lines = [json.loads(line) for line in machine.stdout.splitlines()]
    assert (plain.exit_code, machine.exit_code) == (exit_code, exit_code)
    assert f"queued -> {last.status}" in plain.stdout
    assert [line.get("sequence") for line in lines] == [1, 2, None]
    assert lines[-1]["status"] == last.status


@pytest.mark.parametrize(("error", "exit_code"), [(1e-6, 0), (0.5, 1)])
def test_a_failing_row_is_shown_and_whether_it_is_right_now(
    command, api, place, monkeypatch, error, exit_code
):
    rejection = Rejection(
        code=RejectionCode.OUTPUT_MISMATCH,
        stage=Stage.SMOKE,
        evidence={"draw": "smoke", "call": 0},
    )
    api.views[ID] = [
        submission_view(
            ID,
            status="rejected",
            verdict=Verdict(rejection=rejection, sentence="It is wrong."),
            manifest=a_manifest(),
        )
    ]
    api.sources[ID] = a_source().model_dump(mode="json")
    row = ReproducedReport(
        sequence_length=64,
        family="plain",
        head=1,
        token=2,
        truth=(1.0,) * 64,
        output=(1.0,) * 64,
        error=error,
        bound=1e-4,
        input_sha256="a" * 64,
    )
    monkeypatch.setattr(
        reproducing, "reproduce_in_subprocess", lambda spec: row
    )

    plain = command("reproduce", str(ID))
    machine = command("reproduce", str(ID), "--json")

    assert (plain.exit_code, machine.exit_code) == (exit_code, exit_code)
    assert "row:    head 1, token 2 (plain)" in plain.stdout
    assert json.loads(machine.stdout)["right"] is (exit_code == 0)


def test_an_unknown_id_is_told(command, api):
    unknown = command("status", str(uuid4()))
    nonsense = command("status", "the-last-one")

    assert (unknown.exit_code, nonsense.exit_code) == (2, 2)
    assert unknown.stderr == "error: no such submission\n"
    assert "should be a valid UUID" in nonsense.stderr


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("init", "fla/ops/quasar"),
        ("submit", "--fork-url"),
        ("status", "--watch"),
        ("reproduce", "--repo-path"),
    ],
)
def test_help_teaches(command, name, word):
    shown = command(name, "--help")

    assert shown.exit_code == 0
    assert word in shown.stdout
    assert "--json" in shown.stdout
