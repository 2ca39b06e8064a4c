"""The weight setter on both chains: the file, and the SDK before a node."""

from __future__ import annotations

import pytest
from quasar_core.chain import subtensor
from quasar_core.chain.signatures import RequestSigner
from quasar_core.chain.subtensor import SubtensorChain
from quasar_core.client.api import QuasarClient

from services.weight_setter.setter import WeightSetter
from tests.support.api_server import round_view, standings, standings_row
from tests.support.bad_nodes import (
    always,
    answering,
    answering_bytes,
    hanging,
    refusing,
)
from tests.support.chains import (
    KINDS,
    NETUID,
    VALIDATOR,
    Rules,
    subtensor_world,
    validator_wallet,
    worlds,
)
from tests.support.wallets import address, keypair

SHARES = {1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05}
TEMPO, RATE_LIMIT = 30, 10
QUICK = Rules(tempo=TEMPO, rate_limit=RATE_LIMIT)


@pytest.fixture(autouse=True)
def _no_cache_at_home(tmp_path, monkeypatch):
    cache = tmp_path / "symbols.json"
    monkeypatch.setenv("BTCLI_TOKEN_SYMBOLS_CACHE", str(cache))


@pytest.fixture(params=KINDS)
def make_world(request, tmp_path):
    with worlds(request.param, tmp_path) as make:
        yield make


@pytest.fixture
def setter_on(api):
    signer = RequestSigner(keypair("validator"))
    with QuasarClient(api.url, signer, pause=lambda _: None) as client:
        yield lambda chain: WeightSetter(client, chain, VALIDATOR, signer)


# --- D11: who is gone, and who has come --------------------------------------

# shares of places one to four: 0.60, 0.25, 0.10, 0.05; uid 0 is the validator
GONE = [
    ("nobody has gone", (), SHARES),
    (
        "the winner's uid went to a newcomer",
        ("first",),
        {2: 0.625, 3: 0.25, 4: 0.125},
    ),
    ("two of four have gone", ("second", "fourth"), {1: 6 / 7, 3: 1 / 7}),
    ("one is left", ("first", "second", "third"), {4: 1.0}),
    ("all have gone", ("first", "second", "third", "fourth"), {}),
]


@pytest.mark.parametrize(
    ("gone", "shares"),
    [row[1:] for row in GONE],
    ids=[row[0] for row in GONE],
)
def test_d11_a_recycled_uid_is_paid_nothing(
    make_world, setter_on, api, gone, shares
):
    world = make_world()
    for name in gone:
        world.replace(name, f"after-{name}")

    report = setter_on(world.chain).turn()

    standing = world.chain.weights_of(VALIDATOR)
    if not shares:
        assert (report.outcome, standing) == ("skipped", {})
        assert report.reason == "nobody who has a share is registered"
        return
    assert report.outcome == "set"
    assert standing == pytest.approx(shares, abs=1e-4)
    assert 0 not in standing
    for name in gone:
        assert f"{address(name)}: not registered" in report.reason


@pytest.mark.parametrize("paid", [1, 2, 3])
def test_fewer_than_four_winners_share_everything(
    make_world, setter_on, api, paid
):
    hand = {1: (1.0,), 2: (0.7, 0.3), 3: (0.65, 0.25, 0.1)}[paid]
    rows = tuple(
        standings_row(place, share, name)
        for place, (share, name) in enumerate(
            zip(hand, ("first", "second", "third"), strict=False), start=1
        )
    )
    api.standings[1] = standings(rows=rows)
    world = make_world()

    setter_on(world.chain).turn()

    assert world.chain.weights_of(VALIDATOR) == pytest.approx(
        dict(enumerate(hand, start=1)), abs=1e-4
    )


def test_a_round_that_paid_nobody_leaves_the_weights(
    make_world, setter_on, api
):
    api.standings[1] = standings(rows=(standings_row(1, 0.0, "first"),))
    world = make_world()

    report = setter_on(world.chain).turn()

    assert (report.outcome, report.reason) == (
        "skipped",
        "the round paid nobody",
    )
    assert world.chain.weights_of(VALIDATOR) == {}


# --- the subnet's own rules -------------------------------------------------


def test_a_subnet_that_wants_more_weights_than_are_paid_is_told_of(
    make_world, setter_on
):
    world = make_world(Rules(min_allowed=5))

    report = setter_on(world.chain).turn()

    assert report.outcome == "skipped"
    assert "4 weights are fewer than the 5" in report.reason
    assert "min_allowed_weights" in report.reason
    assert world.chain.weights_of(VALIDATOR) == {}


def test_a_largest_weight_is_kept(make_world, setter_on):
    world = make_world(Rules(max_weight=0.5))

    report = setter_on(world.chain).turn()

    assert report.outcome == "set"
    standing = world.chain.weights_of(VALIDATOR)
    assert standing == pytest.approx(
        {1: 0.5, 2: 0.3125, 3: 0.125, 4: 0.0625}, abs=1e-4
    )
    assert max(standing.values()) <= world.chain.rules().max_weight_limit


@pytest.mark.parametrize("hidden", [False, True])
def test_set_again_each_tempo_and_a_new_round_as_soon_as_the_limit_lets(
    make_world, setter_on, api, hidden
):
    world = make_world(
        Rules(tempo=TEMPO, rate_limit=RATE_LIMIT, commit_reveal=hidden)
    )
    setter = setter_on(world.chain)
    start = world.chain.block()
    told: list[tuple[int, str, int | None]] = []
    for at in range(2 * TEMPO):
        if at == TEMPO + 3:
            api.round = round_view(round_number=3, latest_finalised_round=2)
            api.standings[2] = standings(round_number=2)
        report = setter.turn()
        if report is not None:
            assert report.block == start + at
            told.append((at, report.outcome, report.round_number))
        world.advance(1)

    assert told == [
        (0, "set", 1),
        (TEMPO, "set", 1),
        (TEMPO + RATE_LIMIT, "set", 2),
    ]


def test_a_validator_that_begins_anew_is_never_faster_than_the_limit(
    make_world, setter_on, api
):
    world = make_world(QUICK)
    setter_on(world.chain).turn()

    outcomes = []
    for _ in range(RATE_LIMIT):
        world.advance(1)
        outcomes.append(setter_on(world.chain).turn().outcome)

    assert outcomes == ["skipped"] * (RATE_LIMIT - 1) + ["set"]


def test_without_a_permit_nothing_is_set_and_it_is_said(make_world, setter_on):
    world = make_world(permit=False)

    report = setter_on(world.chain).turn()

    assert report.outcome == "refused"
    assert report.reason.startswith("not_authorized")


# --- a node that is away ----------------------------------------------------

AWAY = {
    "nobody listens": refusing,
    "it hangs": hanging,
    "it speaks otherwise": lambda: answering_bytes(b"220 mail ready\r\n"),
    "it talks nonsense": lambda: answering(always({"number": "0xzz"})),
}


@pytest.mark.parametrize("node", AWAY.values(), ids=AWAY)
def test_a_node_that_is_away_is_reported_and_nothing_else_happens(
    node, setter_on, api, monkeypatch
):
    monkeypatch.setattr(subtensor, "READ_TIMEOUT_SECONDS", 0.3)
    with node() as url:
        chain = SubtensorChain(url, NETUID, wallet=validator_wallet())
        setter = setter_on(chain)
        reports = [setter.turn() for _ in range(3)]
        chain.close()

    assert {report.outcome for report in reports} == {"failed"}
    assert "weights are left as they are" in reports[0].reason
    (told,) = api.reports
    assert told["outcome"] == "failed"
    assert api.callers == [VALIDATOR]


@pytest.fixture
def node_world():
    world = subtensor_world(QUICK)
    world.register("validator", True)
    for name in ("first", "second", "third", "fourth"):
        world.register(name, False)
    yield world
    world.close()


def test_a_node_that_comes_back_is_used_within_the_epoch(
    node_world, setter_on, api
):
    chain, node = node_world.chain, node_world.node
    setter = setter_on(chain)
    setter.turn()
    before = chain.weights_of(VALIDATOR)
    node_world.advance(TEMPO)

    node.fault = ConnectionResetError("reset by peer")
    outcomes = [setter.turn().outcome for _ in range(2)]
    node.fault = None
    assert chain.weights_of(VALIDATOR) == before
    node_world.advance(1)
    outcomes.append(setter.turn().outcome)

    assert outcomes == ["failed", "failed", "set"]
    assert [each["outcome"] for each in api.reports] == [
        "set",
        "failed",
        "set",
    ]


def test_weights_that_the_node_took_in_silence_are_found_and_not_set_twice(
    node_world, setter_on, api, monkeypatch
):
    monkeypatch.setattr(subtensor, "SET_TIMEOUT_SECONDS", 0.2)
    node = node_world.node
    setter = setter_on(node_world.chain)
    node.swallows = True
    lost = setter.turn()
    node.swallows = False
    block = node.height
    node_world.advance(RATE_LIMIT + 1)

    found = setter.turn()

    assert lost.outcome == "failed"
    assert lost.reason.startswith("not known to be set: ")
    assert (found.outcome, found.block) == ("set", block)
    assert found.weights == {
        str(uid): pytest.approx(share) for uid, share in SHARES.items()
    }
    assert node.submitted == ["set_mechanism_weights"]
    assert setter.turn() is None


def test_weights_that_never_arrived_are_set_once_more(
    node_world, setter_on, monkeypatch
):
    async def lose(*_, **__):
        raise ConnectionResetError("dropped")

    setter = setter_on(node_world.chain)
    with monkeypatch.context() as patch:
        patch.setattr(node_world.node, "submit", lose)
        assert setter.turn().outcome == "failed"

    assert setter.turn().outcome == "set"
    assert setter.turn() is None


def test_too_little_stake_is_told_in_the_chains_own_words(
    node_world, setter_on
):
    node_world.node.least_stake_rao = 1_000

    report = setter_on(node_world.chain).turn()

    assert report.outcome == "refused"
    assert report.reason.startswith("insufficient_balance: ")
