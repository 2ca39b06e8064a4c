"""`quasar up` and its like: up until told, and nothing left behind."""

import json
import re
import signal
import urllib.error
import urllib.request

import pytest
from quasar_core.client.api import QuasarClient
from quasar_core.client.vitals import read_vitals

from deploy.dashboards.boards import BOARDS
from tests.support.platform import Command, processes_in, quasar
from tests.support.prometheus import needs_prometheus, prometheus
from tests.support.series import OF_NODE, rules
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
]

BOUND = re.compile(r"\s*(==|>=|>|<)\s*[\d.]+")
ONLY_IN_TROUBLE = {
    "NoWorker",  # queues without the workers that are there
    "BaselineDrift",  # asks of yesterday
    "ChainAway",  # no series of these outcomes while the chain answers
    "ApiErrors",  # nor of a status 5xx
    "BrokerAway",  # nor of a message that was not taken
}
UP_SECONDS = 120.0
DOWN_SECONDS = 60.0
GPU = "quasar_gpu_"
"""What no worker of profile `cpu` has; test_gpu_panels.py sees to those."""


def api_of(output):
    return re.search(r"http://127\.0\.0\.1:\d+", output).group()


def exported(miner_file):
    """What the file that a miner's shell reads puts into the environment."""
    lines = miner_file.read_text().splitlines()
    return dict(
        line.removeprefix("export ").split("=", 1)
        for line in lines
        if line.startswith("export ")
    )


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """One stack for the tests below; the one that stops it comes last."""
    place = tmp_path_factory.mktemp("stack")
    folder = place / "up"
    command = Command(
        place / "log", "up", "--directory", str(folder), "--port", "0"
    )
    try:
        command.wait_for("To take part", UP_SECONDS)
        yield command, folder
    finally:
        command.kill()


def test_a_newcomer_takes_part_by_the_commands_that_up_prints(up, tmp_path):
    _, folder = up
    environment = exported(folder / "miner.env")
    fork = str(tmp_path / "fork")

    def told(*arguments):
        ended = quasar(*arguments, timeout=200, environment=environment)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout.splitlines()[-1])

    made = told("miner", "init", "--repo-path", fork, "--json")
    with QuasarClient(environment["QUASAR_API_URL"]) as client:
        assert client.current_round().base_commit == made["commit_hash"]
    submit = ("miner", "submit", "--repo-path", fork, "--seq-len", "640")
    submission_id = told(*submit, "--json")["submission_id"]
    status = told("miner", "status", submission_id, "--watch", "--json")
    assert status["status"] == "scored"
    assert status["hotkey"] == made["hotkey"]


@needs_prometheus
def test_panels_and_alerts_see_a_platform_at_work(up, tmp_path):
    """After the newcomer's submission, and a request that was refused.

    An alert is asked for what it compares, without its bounds.
    """
    command, folder = up
    refused = urllib.request.Request(
        f"{api_of(command.output())}/submit_submission", b"{}", method="POST"
    )
    targets = folder / "prometheus" / "targets"
    with prometheus(tmp_path / "prometheus", targets) as server:
        eventually(
            lambda: server.query('up{job="quasar"} == 1') == [1.0] * 6,
            "all six processes asked",
            30,
        )
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(refused)
        queries = {
            query
            for board in BOARDS
            for query in board.expressions
            if GPU not in query
        }
        empty = set()

        def all_answer():
            empty.clear()
            empty.update(each for each in queries if not server.query(each))
            return not empty

        queries |= {
            BOUND.sub("", rule["expr"])
            for name, rule in rules("alert").items()
            if name not in ONLY_IN_TROUBLE and OF_NODE not in rule["expr"]
        }
        try:
            eventually(all_answer, "an answer to every query", 30)
        except AssertionError:
            pytest.fail("\n".join(sorted(empty)))


def test_up_prints_where_it_answers_and_ends_with_ctrl_c(up):
    command, folder = up
    url = api_of(command.output())
    assert read_vitals(url).health.status == "ok"
    with QuasarClient(url) as client:
        assert client.current_round().status == "open"
    refused = quasar("up", "--directory", str(folder))
    assert refused.returncode == 1
    assert "another stack runs in" in " ".join(refused.stderr.split())
    assert command.end(signal.SIGINT, DOWN_SECONDS) == 0
    assert processes_in(folder) == {}


def test_a_stack_that_was_taken_down_is_taken_up_where_it_was_left(tmp_path):
    folder = tmp_path / "up"
    arguments = ("up", "--directory", str(folder), "--port", "0")
    opened = []
    for _ in range(2):
        command = Command(tmp_path / "log", *arguments)
        try:
            output = command.wait_for("QUASAR is up", UP_SECONDS)
            with QuasarClient(api_of(output)) as client:
                view = client.current_round()
                opened.append((view.round_number, view.opened_at_block))
        finally:
            # not even SIGKILL leaves anything behind
            command.kill()
        eventually(
            lambda: processes_in(folder) == {}, "all processes gone", 10
        )
    assert opened[0] == opened[1]


def test_an_operators_three_processes_run_in_one_command(tmp_path):
    folder = tmp_path / "validator"
    command = Command(
        tmp_path / "log",
        "validator",
        "run",
        "--mock",
        "--directory",
        str(folder),
    )
    try:
        output = command.wait_for("QUASAR is up", UP_SECONDS)
        with QuasarClient(api_of(output)) as client:
            roles = {worker.role for worker in client.stats().workers}
        assert roles == {"benchmark", "verifier"}
        assert command.end(signal.SIGTERM, DOWN_SECONDS) == 0
    finally:
        command.kill()
    assert processes_in(folder) == {}
