"""What a local chain refuses, as the real one would."""

from __future__ import annotations

from pathlib import Path

import pytest
from quasar_core.chain.chain import SetOutcome, SetResult
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_rules import refusal
from quasar_core.chain.local_state import (
    Genesis,
    LocalState,
    NeuronRow,
    SetRow,
)

from tests.support.chains import Clock
from tests.support.wallets import address

ALICE, BOB = address("alice"), address("bob")
COLD = address("cold")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "chain.json"


def make(path: Path, clock: Clock, **genesis) -> LocalChain:
    return LocalChain.create(path, Genesis(**genesis), clock=clock)


def validating(**genesis) -> LocalState:
    row = NeuronRow(uid=0, hotkey=ALICE, coldkey=COLD, validator_permit=True)
    return LocalState(
        genesis=Genesis(**genesis), genesis_time=0.0, neurons=[row]
    )


def test_the_first_vector_waits_for_nothing():
    assert refusal(validating(), 0, {0: 1.0}, ALICE) is None


def test_the_next_one_waits_out_the_rate_limit():
    state = validating(weights_rate_limit=20)
    row = SetRow(block=100, visible_from_block=100, weights={0: 65_535})
    state.sets[ALICE] = [row]

    assert refusal(state, 119, {0: 1.0}, ALICE) == SetResult(
        SetOutcome.RATE_LIMITED,
        reason=(
            "rate_limited: weights were set 19 blocks ago, the limit is 20"
        ),
    )
    assert refusal(state, 120, {0: 1.0}, ALICE) is None


def test_a_stranger_is_told_so_before_anything_else():
    refused = refusal(validating(), 0, {}, BOB)

    assert refused is not None
    assert refused.reason == "not_registered: this hotkey has no uid"


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({}, "sum to 1"),
        ({0: 0.5, 1: 0.4}, "sum to 1"),
        ({0: float("nan")}, "finite"),
        ({0: 2.0, 1: -1.0}, "not negative"),
        ({0: 0.5, 9: 0.5}, "no such uid: 9"),
    ],
)
def test_a_vector_that_is_none_is_refused(path, clock, weights, reason):
    chain = make(path, clock)
    chain.register(ALICE, COLD, validator_permit=True)
    chain.register(BOB, COLD)

    result = chain.set_weights(weights, ALICE)

    assert result.outcome is SetOutcome.REFUSED
    assert reason in result.reason
    assert chain.weights_of(ALICE) == {}


def test_too_heavy_a_weight_is_refused(path, clock):
    chain = make(path, clock, max_weight_limit=0.5)
    chain.register(ALICE, COLD, validator_permit=True)
    chain.register(BOB, COLD)

    heavy = chain.set_weights({0: 0.4, 1: 0.6}, ALICE)
    even = chain.set_weights({0: 0.5, 1: 0.5}, ALICE)

    assert heavy.outcome is SetOutcome.REFUSED
    assert heavy.reason.startswith("limit_exceeded")
    assert even.outcome is SetOutcome.SET


def test_a_weight_on_oneself_alone_is_free_of_both_limits(path, clock):
    chain = make(path, clock, max_weight_limit=0.5, min_allowed_weights=4)
    chain.register(ALICE, COLD, validator_permit=True)

    assert chain.set_weights({0: 1.0}, ALICE).outcome is SetOutcome.SET
