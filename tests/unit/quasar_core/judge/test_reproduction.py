"""Reproduction: a failing input, drawn again and called again."""

import pytest
import torch
from quasar_core.judge.judging import judge
from quasar_core.judge.reproduction import (
    NotReproducibleError,
    fingerprint,
    inputs_at,
    place_of,
    reproduce,
)
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings

from tests.support.kernel_sources import (
    HONEST,
    NO_MASK,
    at_the_call,
    changed,
    submission,
)
from tests.support.plain_sandbox import PlainSandbox

SEED = bytes(range(32))
EVIDENCE = {
    "draw": "correctness/0",
    "call": 2,
    "scaled": True,
    "states": True,
    "sequence_length": 128,
    "head": 3,
    "token": 100,
    "family": "plain",
}


@pytest.fixture
def settings(tmp_path):
    torch.set_num_threads(1)
    return JudgeSettings(
        correctness_lengths=(64, 128),
        exchange_samples=1,
        lock_path=tmp_path / "lock",
    )


def run(text, settings):
    return judge(
        submission(text),
        target_sequence_length=64,
        run_id="run-1",
        settings=settings,
        sandbox=PlainSandbox(),
        progress=lambda step: None,
        seed=SEED.hex(),
    )


def again(text, evidence, settings):
    return reproduce(
        submission(text),
        evidence,
        seeds=Seeds(SEED, "run-1"),
        settings=settings,
        sandbox=PlainSandbox(),
    )


def test_a_seed_shows_the_row_that_failed(settings):
    first = run(NO_MASK, settings)
    evidence = first.rejection.evidence
    assert (evidence["draw"], evidence["call"]) == ("smoke", 0)

    shown = again(NO_MASK, evidence, settings)

    assert shown.error == evidence["error"]
    assert (shown.head, shown.token) == (evidence["head"], evidence["token"])
    assert (shown.family, shown.bound) == (evidence["family"], 1e-4)
    assert len(shown.truth) == len(shown.output) == 64
    repaired = again(HONEST, evidence, settings)
    assert repaired.error < 1e-5
    assert repaired.input_sha256 == shown.input_sha256
    assert repaired.truth == shown.truth


def test_a_wrong_final_state_is_shown(settings):
    text = changed(("(state if output", "(state * 1.5 if output"))
    evidence = EVIDENCE | {"family": "final_state", "token": 5}
    shown = again(text, evidence, settings)
    assert shown.error == pytest.approx(0.5, rel=1e-3)
    assert shown.output[0] == pytest.approx(1.5 * shown.truth[0], rel=1e-3)


def test_a_kernel_that_fails_and_one_of_no_numbers_are_told(settings):
    failed = again(at_the_call("1 / 0"), EVIDENCE, settings)
    assert (failed.output, failed.error) == (None, None)
    assert "ZeroDivisionError" in failed.fault
    text = changed(("    return o, (", "    o = o / 0\n    return o, ("))
    empty = again(text, EVIDENCE, settings)
    assert empty.error == "inf"
    assert set(empty.output) <= {"inf", "-inf", "nan"}


def test_the_same_evidence_is_the_same_input(settings):
    place = place_of(EVIDENCE)
    seeds = Seeds(SEED, "run-1")
    one, two = (inputs_at(place, seeds, settings) for _ in range(2))
    assert fingerprint(one) == fingerprint(two)
    assert one.shape.initial_state is True
    other = inputs_at(place, Seeds(SEED, "run-2"), settings)
    assert fingerprint(other) != fingerprint(one)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"token": "7"}, "no input's numbers"),
        ({"token": True}, "no input's numbers"),
        ({"call": -1}, "no input's numbers"),
        ({"sequence_length": 10**9}, "no input's numbers"),
        ({"sequence_length": 100}, "not whole chunks"),
        ({"sequence_length": 0}, "not whole chunks"),
        ({"head": 8}, "a row that is none"),
        ({"token": 128}, "a row that is none"),
    ],
)
def test_evidence_that_names_nothing_is_refused(change, told, settings):
    with pytest.raises(NotReproducibleError, match=told):
        again(HONEST, EVIDENCE | change, settings)


def test_evidence_of_another_kind_is_refused():
    with pytest.raises(NotReproducibleError, match="lacks draw, call"):
        place_of({"file": "a.py", "line": 3})
