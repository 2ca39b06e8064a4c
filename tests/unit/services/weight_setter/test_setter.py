"""A turn of the weight setter, over real HTTP and on a chain in a file."""

from __future__ import annotations

import socket
import time

import pytest
from fastapi.responses import JSONResponse
from prometheus_client import REGISTRY
from quasar_core.chain.chain import ChainUnavailable, SetOutcome, SetResult
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.signatures import RequestSigner
from quasar_core.client.api import QuasarClient
from quasar_core.errors import ProblemCode

from services.weight_setter.setter import Skip, WeightSetter
from tests.support.api_server import (
    RECEIVER,
    FakeApi,
    problem,
    round_view,
    serving,
    standings,
    standings_row,
)
from tests.support.chains import Clock
from tests.support.wallets import address, keypair

VALIDATOR = address("validator")
PLACES = ("first", "second", "third", "fourth")
SHARES = {1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05}
TEMPO, RATE_LIMIT = 50, 20


@pytest.fixture(scope="module")
def server():
    with serving() as api:
        yield api


@pytest.fixture
def api(server) -> FakeApi:
    server.__dict__.update(FakeApi(url=server.url).__dict__)
    return server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def chain(tmp_path, clock) -> LocalChain:
    genesis = Genesis(
        block_seconds=1.0, tempo=TEMPO, weights_rate_limit=RATE_LIMIT
    )
    chain = LocalChain.create(tmp_path / "chain.json", genesis, clock=clock)
    chain.register(VALIDATOR, address("cold"), validator_permit=True)
    for name in PLACES:
        chain.register(address(name), address(f"{name}-cold"))
    return chain


@pytest.fixture
def make(api, chain):
    clients: list[QuasarClient] = []

    def build(**options) -> WeightSetter:
        signer = RequestSigner(keypair("validator"), options.pop("pin", None))
        client = QuasarClient(
            options.pop("url", api.url), signer, pause=lambda _: None
        )
        clients.append(client)
        return WeightSetter(
            client, options.pop("chain", chain), VALIDATOR, signer, **options
        )

    yield build
    for client in clients:
        client.close()


def test_the_last_final_rounds_weights_are_set_and_reported(make, api, chain):
    report = make().turn()

    assert chain.weights_of(VALIDATOR) == pytest.approx(SHARES, abs=1e-4)
    assert (report.outcome, report.block) == ("set", 0)
    assert api.reports == [report.model_dump()]
    assert api.callers == [VALIDATOR]
    assert report.hotkeys == {
        str(uid): address(name) for uid, name in enumerate(PLACES, start=1)
    }


def test_weights_are_due_from_the_start_or_the_first_final_round(
    make, api, monkeypatch
):
    def due_since():
        return REGISTRY.get_sample_value("quasar_weights_due_since_seconds")

    now = [1_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    setter = make()
    assert due_since() == 1_000
    api.round = round_view(latest_finalised_round=None)
    now[0] = 2_000.0
    assert setter.turn().reason == "no round is final yet"
    assert due_since() == 2_000
    api.round = round_view(latest_finalised_round=1)
    now[0] = 3_000.0
    assert setter.turn().outcome == "set"
    assert due_since() == 2_000
    assert REGISTRY.get_sample_value("quasar_weights_set_at_seconds") == 3_000


def test_weights_are_set_again_each_tempo_and_not_sooner(make, clock):
    setter = make()
    set_at = []
    for block in range(2 * TEMPO + 1):
        report = setter.turn()
        if report is not None:
            set_at.append((block, report.outcome))
        clock.now += 1

    assert set_at == [(0, "set"), (TEMPO, "set"), (2 * TEMPO, "set")]


def test_a_newer_round_is_weighed_as_soon_as_the_rate_limit_lets(
    make, api, chain, clock
):
    setter = make()
    setter.turn()
    api.round = round_view(round_number=3, latest_finalised_round=2)
    rows = (standings_row(1, 1.0, "fourth"),)
    api.standings[2] = standings(round_number=2, rows=rows)

    clock.now += RATE_LIMIT - 1
    assert setter.turn() is None
    clock.now += 1
    report = setter.turn()

    assert (report.outcome, report.round_number) == ("set", 2)
    assert chain.weights_of(VALIDATOR) == {4: 1.0}


def test_after_a_restart_the_chains_own_limit_holds(make, api, chain, clock):
    make().turn()
    clock.now += 5

    restarted = make()
    reports = [restarted.turn() for _ in range(3)]

    assert [report.outcome for report in reports] == ["skipped"] * 3
    assert reports[0].reason.startswith("rate_limited")
    assert [report["outcome"] for report in api.reports] == ["set", "skipped"]


def test_uids_are_those_of_the_moment_of_setting(make, chain):
    chain.deregister(address("first"))
    chain.register(address("newcomer"), address("newcomer-cold"))

    report = make().turn()

    assert 1 not in chain.weights_of(VALIDATOR)
    assert "1" not in report.weights
    assert f"{address('first')}: not registered" in report.reason


def test_with_no_final_round_nothing_is_set(make, api, chain):
    api.round = round_view(latest_finalised_round=None)

    report = make().turn()

    assert (report.outcome, report.reason) == (
        "skipped",
        "no round is final yet",
    )
    assert chain.weights_of(VALIDATOR) == {}


def test_the_same_reason_is_reported_once(make, api):
    api.round = round_view(latest_finalised_round=None)
    setter = make()
    for _ in range(5):
        setter.turn()

    assert len(api.reports) == 1


class Unreadable:
    """A chain whose metagraph cannot be read; all else is as it was."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain
        self.netuid = chain.netuid

    def __getattr__(self, name):
        return getattr(self._chain, name)

    def metagraph(self):
        raise ChainUnavailable("the node is away")


def test_while_the_metagraph_cannot_be_read_weights_stay(
    make, api, chain, clock
):
    make().turn()
    before = chain.weights_of(VALIDATOR)
    clock.now += TEMPO

    report = make(chain=Unreadable(chain)).turn()

    assert report.outcome == "failed"
    assert "left as they are" in report.reason
    assert chain.weights_of(VALIDATOR) == before


@pytest.mark.parametrize("call", ["rules", "block", "set_weights"])
def test_any_call_of_the_chain_may_fail_and_is_tried_again(
    make, chain, clock, monkeypatch, call
):
    setter = make()
    setter.turn()
    clock.now += TEMPO

    def fail(*_):
        raise ChainUnavailable("the node is away")

    with monkeypatch.context() as patch:
        patch.setattr(chain, call, fail)
        assert setter.turn().outcome == "failed"

    assert setter.turn().outcome == "set"


def test_a_set_without_a_block_takes_the_height_for_it(
    make, chain, monkeypatch
):
    monkeypatch.setattr(
        chain, "set_weights", lambda *_: SetResult(SetOutcome.SET)
    )

    assert make().turn().block == 0


@pytest.mark.parametrize(
    "broken",
    [
        standings(final=False),
        standings(status="open"),
        {"round_number": 1, "rows": "all of them"},
        standings(burn_share=0.5),
    ],
)
def test_standings_that_are_not_right_set_nothing(make, api, chain, broken):
    api.standings[1] = broken

    report = make().turn()

    assert report.outcome in {"refused", "failed"}
    assert chain.weights_of(VALIDATOR) == {}


def test_another_subnets_api_is_refused(make, api, chain):
    api.round = round_view(netuid=439)

    report = make().turn()

    assert (report.outcome, chain.weights_of(VALIDATOR)) == ("refused", {})
    assert "subnet 439" in report.reason


def test_an_api_that_rotates_its_hotkey_is_followed(make, api, clock):
    setter = make()
    setter.turn()
    clock.now += TEMPO
    api.round = round_view(receiver_hotkey=address("rotated"))

    assert setter.turn().outcome == "set"
    assert [report["outcome"] for report in api.reports] == ["set", "set"]


def test_an_api_that_is_another_than_the_pinned_sets_nothing(make, api, clock):
    setter = make(pin=RECEIVER)
    setter.turn()
    clock.now += TEMPO
    api.round = round_view(receiver_hotkey=address("impostor"))

    assert setter.turn().outcome == "refused"
    # nothing is signed for it, so that it takes no report either
    assert [report["outcome"] for report in api.reports] == ["set"]


def test_with_the_api_away_weights_stay_and_the_report_waits(make, api, chain):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    report = make(url=f"http://127.0.0.1:{port}").turn()

    assert report.outcome == "failed"
    assert "no round could be read" in report.reason
    assert chain.weights_of(VALIDATOR) == {}


def test_a_report_that_could_not_be_sent_is_sent_later(make, api, monkeypatch):
    setter = make()
    away = [problem(503, ProblemCode.UNAVAILABLE, "starting")] * 4
    standings_read = api.standings

    class Failing(dict):
        """Fails the requests that follow the reading of the standings."""

        def get(self, number):
            api.fail_with = list(away)
            return standings_read.get(number)

    monkeypatch.setattr(api, "standings", Failing())
    assert setter.turn().outcome == "set"
    assert api.reports == []

    assert setter.turn() is None
    assert [report["outcome"] for report in api.reports] == ["set"]


def test_a_report_that_is_refused_is_not_sent_for_ever(make, api, monkeypatch):
    setter = make()
    refusal = problem(403, ProblemCode.NOT_PERMITTED, "no permit")

    class Refusing(dict):
        def get(self, number):
            api.fail_with = [refusal]
            return standings()

    monkeypatch.setattr(api, "standings", Refusing())
    setter.turn()
    api.requests.clear()
    setter.turn()

    assert api.requests == ["GET /rounds/current"]


def test_a_dry_run_sets_and_reports_nothing(make, api, chain):
    report = make(dry_run=True).turn()

    assert report.outcome == "dry_run"
    assert report.weights == {
        str(uid): pytest.approx(share) for uid, share in SHARES.items()
    }
    assert (api.reports, chain.weights_of(VALIDATOR)) == ([], {})


def test_what_would_be_set_can_be_asked(make, api):
    assert make().plan().shares == pytest.approx(SHARES)

    api.round = None
    with pytest.raises(Skip, match="no round could be read"):
        make().plan()


def test_without_a_permit_the_refusal_is_reported(make, api, chain):
    chain.deregister(VALIDATOR)
    chain.register(VALIDATOR, address("cold"))

    report = make().turn()

    assert (report.outcome, chain.weights_of(VALIDATOR)) == ("refused", {})
    assert report.reason.startswith("not_authorized")


def test_a_set_whose_block_nobody_tells_is_tried_again(
    make, chain, monkeypatch
):
    def fail():
        raise ChainUnavailable("the node is away")

    setter = make()
    with monkeypatch.context() as patch:
        patch.setattr(
            chain, "set_weights", lambda *_: SetResult(SetOutcome.SET)
        )
        patch.setattr(chain, "block", fail)
        report = setter.turn()

    assert report.outcome == "failed"
    assert "in which block" in report.reason
    assert setter.turn().outcome == "set"


def test_a_report_to_an_api_that_has_gone_is_kept(make, api, monkeypatch):
    setter = make()
    gone = JSONResponse({}, 418)

    class Going(dict):
        """Answers in nobody's words after the standings were read."""

        def get(self, number):
            api.fail_with = [gone]
            return standings()

    with monkeypatch.context() as patch:
        patch.setattr(api, "standings", Going())
        setter.turn()
    assert api.reports == []

    setter.turn()
    assert [report["outcome"] for report in api.reports] == ["set"]
