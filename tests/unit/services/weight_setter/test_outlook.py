"""What would be set, for people and for machines, also when nothing would."""

from __future__ import annotations

import pytest
from quasar_core.chain.chain import ChainUnavailable
from quasar_core.chain.signatures import RequestSigner
from quasar_core.contracts.http import RoundView, Standings

from services.weight_setter.outlook import outlook
from services.weight_setter.setter import WeightSetter
from tests.support.api_server import round_view, standings
from tests.support.chains import VALIDATOR, Rules, World, worlds
from tests.support.wallets import address, keypair


class Told:
    """An API that tells what it was given."""

    def __init__(self) -> None:
        self.round = round_view()

    def current_round(self) -> RoundView:
        return self.round

    def standings(self, _: int) -> Standings:
        return standings()

    def report_weights(self, report):
        raise AssertionError(f"nothing is reported: {report}")


@pytest.fixture
def api() -> Told:
    return Told()


@pytest.fixture
def see(tmp_path, api):
    with worlds("local", tmp_path) as make:

        def look(world: World | None = None, **rules):
            world = world or make(Rules(**rules))
            setter = WeightSetter(
                api,
                world.chain,
                VALIDATOR,
                RequestSigner(keypair("validator")),
                dry_run=True,
            )
            return outlook(setter, world.chain, VALIDATOR)

        look.world = make
        yield look


def test_the_vector_is_shown_with_what_the_chain_stores(see):
    seen = see()

    value = seen.as_dict()
    assert (value["outcome"], value["reason"]) == ("would_set", "")
    assert [
        (row["uid"], row["hotkey"], row["u16"]) for row in value["weights"]
    ] == [
        (1, address("first"), 65_535),
        (2, address("second"), 27_306),
        (3, address("third"), 10_923),
        (4, address("fourth"), 5_461),
    ]
    assert value["validator"]["uid"] == 0
    assert (value["epoch"]["tempo"], value["epoch"]["next_start"]) == (
        360,
        360,
    )


def test_people_read_the_same(see):
    lines = see(commit_reveal=True).as_lines()

    assert lines[0] == "by the standings of round 1 would be set:"
    assert lines[1].split() == [
        *("uid", "1", "60.0000%", "u16", "65535", address("first"))
    ]
    assert lines[5] == f"  validator  {VALIDATOR}, uid 0, never set any"
    assert "timelocked weights, once in 100 blocks at most" in lines[6]
    assert "the next one starts at 360" in lines[7]


def test_a_remark_and_who_was_dropped_are_shown(see):
    world = see.world(Rules(max_weight=0.5))
    world.replace("fourth", "newcomer")

    lines = see(world).as_lines()

    assert "the subnet's largest weight cut uid 1" in lines[0]
    assert f"  dropped    {address('fourth')}: not registered" in lines


def test_before_the_rate_limit_nothing_would_be_set_but_is_shown(see):
    world = see.world(Rules(rate_limit=20))
    world.chain.set_weights({1: 1.0}, VALIDATOR)
    world.advance(5)

    seen = see(world)

    assert seen.outcome == "skipped"
    assert seen.reason == "rate_limited: the chain takes them in 15 blocks"
    assert len(seen.as_dict()["weights"]) == 4
    assert seen.as_lines()[0].startswith("nothing would be set (skipped): ")
    assert seen.as_lines()[5].endswith(", uid 0, last set at 0")


def test_before_a_round_is_final_it_says_so(see, api):
    api.round = round_view(latest_finalised_round=None)

    seen = see()

    assert (seen.outcome, seen.reason) == ("skipped", "no round is final yet")
    assert seen.as_dict()["round_number"] is None


def test_where_all_have_gone_they_are_named(see):
    world = see.world()
    for name in ("first", "second", "third", "fourth"):
        world.replace(name, f"after-{name}")

    seen = see(world)

    assert seen.outcome == "skipped"
    assert len(seen.as_dict()["dropped"]) == 4


def test_who_may_not_set_weights_is_told_before_he_tries(see):
    seen = see(see.world(permit=False))

    assert seen.outcome == "refused"
    assert seen.reason.startswith("not_authorized: ")
    assert seen.as_dict()["subnet"]["tempo"] == 360


def test_a_chain_that_is_away_is_told(see, monkeypatch):
    world = see.world()

    def away():
        raise ChainUnavailable("the node is away")

    monkeypatch.setattr(world.chain, "rules", away)
    seen = see(world)

    assert (seen.outcome, seen.reason) == (
        "failed",
        "the chain cannot be read: the node is away",
    )
    assert seen.as_lines()[1:] == [f"  validator  {VALIDATOR}"]
