import math
from dataclasses import dataclass, field

import pytest
import torch
from quasar_core.errors import RejectionCode
from quasar_core.judge.exchange import Exchange
from quasar_core.judge.faults import KernelFault, Patience
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.oracle import truth
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.shapes import CallShape
from quasar_core.judge.table import Table

torch.set_num_threads(1)
SEEDS = Seeds(bytes(32), "run")
SHAPE = CallShape(128, initial_state=True, final_state=True)
INPUTS = draw_inputs(SEEDS, "timed", 0, SHAPE)
EXACT = truth(INPUTS)


@dataclass
class FakeSeat:
    """Answers with the truth, changed by `spoil`."""

    spoil: object = lambda output, state: None
    shapes: list = field(default_factory=list)

    def call(self, shape, sections, patience, *, into):
        self.shapes.append(shape)
        output, state = EXACT.output.float(), EXACT.state.float()
        self.spoil(output, state)
        return Exchange(0.25, output, state)


def table(spoil=lambda output, state: None):
    return Table(FakeSeat(spoil), SEEDS, torch.zeros(1, dtype=torch.uint8))


def test_a_right_output_is_taken_with_its_time():
    here = table()
    assert here.fresh_call("timed", 0, SHAPE, Patience(1)) == 0.25
    assert here.seat.shapes == [SHAPE]
    assert here.worst.checks == 2
    assert 0 < here.worst.error < 1e-6


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_one_number_that_is_not_finite_is_found(value):
    def spoil(output, state):
        output[0, 3, 77, 5] = value

    with pytest.raises(KernelFault) as caught:
        table(spoil).call(INPUTS, Patience(1))
    assert caught.value.code is RejectionCode.NON_FINITE
    assert caught.value.evidence["error"] == "inf"
    assert caught.value.evidence["token"] == 77


def test_one_wrong_row_is_found_with_its_family():
    def spoil(output, state):
        output[0, 6, 100] *= 1.001

    with pytest.raises(KernelFault) as caught:
        table(spoil).call(INPUTS, Patience(1))
    assert caught.value.code is RejectionCode.OUTPUT_MISMATCH
    evidence = caught.value.evidence
    assert (evidence["head"], evidence["token"]) == (6, 100)
    assert evidence["family"] == INPUTS.family_at(6, 100)
    assert evidence["error"] == pytest.approx(1e-3, rel=0.01)
    assert evidence["sequence_length"] == 128


def test_a_wrong_final_state_is_found():
    def spoil(output, state):
        state[0, 2] += 1

    with pytest.raises(KernelFault) as caught:
        table(spoil).call(INPUTS, Patience(1))
    assert caught.value.evidence["family"] == "final_state"
