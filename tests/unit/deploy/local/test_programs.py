"""The platform's processes: each is told only what its settings know."""

import http.server
import threading

import pytest

from deploy.local.broker import Doors
from deploy.local.environment import HOST, Place, free_port
from deploy.local.identities import (
    BENCHMARK_WORKER,
    VERIFIER_WORKER,
    establish,
)
from deploy.local.programs import (
    Wiring,
    answers,
    api_programs,
    operator_programs,
)
from deploy.local.rules import Rules
from services.api.settings import Settings
from services.benchmark_worker.settings import Settings as BenchmarkSettings
from services.verifier_worker.settings import Settings as VerifierSettings
from services.weight_setter.settings import WeightSetterSettings

SETTINGS = {
    "web": Settings,
    "recorder": Settings,
    "scheduler": Settings,
    "benchmark-worker": BenchmarkSettings,
    "verifier-worker": VerifierSettings,
    "weight-setter": WeightSetterSettings,
}


@pytest.fixture
def wiring(tmp_path):
    place = Place(tmp_path)
    return Wiring(
        place=place,
        rules=Rules(league_unit=640),
        identities=establish(place, 1.0),
        doors=Doors(
            platform="redis://platform:word@127.0.0.1:1/0",
            workers={
                name: f"redis://{name}:word@127.0.0.1:1/0"
                for name in (BENCHMARK_WORKER, VERIFIER_WORKER)
            },
        ),
        api_port=4_321,
        base_commit="b" * 40,
    )


def programs_of(wiring):
    both = (*api_programs(wiring), *operator_programs(wiring))
    return {program.name: program for program in both}


def settings_of(program, monkeypatch, tmp_path):
    for name, value in program.environment.items():
        if name.startswith("QUASAR_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return SETTINGS[program.name]()


def test_every_process_of_the_platform_is_there(wiring):
    assert list(programs_of(wiring)) == list(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_process_is_told_only_what_its_settings_know(name, wiring):
    told = {
        variable
        for variable in programs_of(wiring)[name].environment
        if variable.startswith("QUASAR_")
    }
    known = {
        f"QUASAR_{field.upper()}" for field in SETTINGS[name].model_fields
    }
    assert told - known == set()


def test_the_api_reads_the_rules_of_the_stack(wiring, monkeypatch, tmp_path):
    program = programs_of(wiring)["scheduler"]
    settings = settings_of(program, monkeypatch, tmp_path)
    assert settings.league_unit == 640
    assert settings.max_sequence_length == 12_800
    assert settings.min_improvement == 0.5
    assert not settings.must_beat_baseline
    assert settings.git_schemes == ("file", "https")
    assert settings.receiver_hotkey == wiring.identities.owner.hotkey
    assert settings.worker_hotkeys == wiring.identities.worker_hotkeys()


@pytest.mark.parametrize("name", ["benchmark-worker", "verifier-worker"])
def test_a_worker_has_the_name_under_which_its_key_is_known(
    name, wiring, monkeypatch, tmp_path
):
    program = programs_of(wiring)[name]
    settings = settings_of(program, monkeypatch, tmp_path)
    assert settings.worker_name in wiring.identities.workers


def test_the_weight_setter_finds_api_chain_and_wallet(
    wiring, monkeypatch, tmp_path
):
    program = programs_of(wiring)["weight-setter"]
    settings = settings_of(program, monkeypatch, tmp_path)
    assert settings.api_url == "http://127.0.0.1:4321"
    assert settings.chain_url == wiring.place.chain_url
    assert settings.wallet_path == wiring.place.wallets


def test_a_server_answers_once_it_is_up_and_healthy():
    port = free_port()
    assert not answers(port, "/")
    with http.server.HTTPServer((HOST, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert answers(port, "/well")
            assert not answers(port, "/ill")
        finally:
            server.shutdown()
            thread.join()


class Handler(http.server.BaseHTTPRequestHandler):
    """Well at one path, ill at all others."""

    def do_GET(self):
        self.send_response(200 if self.path == "/well" else 503)
        self.end_headers()

    def log_message(self, *arguments):
        """Nothing is logged."""


def test_each_process_reaches_the_broker_as_itself_alone(wiring):
    users = {
        name: program.environment.get("QUASAR_REDIS_URL", "").split(":")[1:2]
        for name, program in programs_of(wiring).items()
    }
    assert users == {
        "web": ["//platform"],
        "recorder": ["//platform"],
        "scheduler": ["//platform"],
        "benchmark-worker": ["//benchmark-1"],
        "verifier-worker": ["//verifier-1"],
        "weight-setter": [],
    }
