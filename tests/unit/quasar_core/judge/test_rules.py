from dataclasses import replace

import pytest
import torch
from quasar_core.domain.tolerance import CPU_ROW_ERROR_BOUND
from quasar_core.errors import RejectionCode
from quasar_core.judge import rules
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.oracle import Faults, Truth, truth
from quasar_core.judge.rules import (
    STATE_FAMILY,
    AbsoluteRule,
    RelativeRule,
    TrustedKernelError,
    rule_of,
)
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.trusted import trusted_answer

torch.set_num_threads(1)
SEEDS = Seeds(bytes(32), "run")
SHAPE = JudgeSettings(profile="gpu").shape(512, states=True)
INPUTS = draw_inputs(SEEDS, "c", 0, SHAPE)
EXACT = truth(INPUTS)


def found(output, state=None):
    return list(RelativeRule().findings(INPUTS, EXACT, output, state))


def test_each_profile_has_its_rule():
    absolute, relative = (
        rule_of(JudgeSettings(profile=name)) for name in ("cpu", "gpu")
    )
    assert (absolute.bound, absolute.relative) == (CPU_ROW_ERROR_BOUND, False)
    assert (relative.bound, relative.relative) == (1.0, True)


def test_the_trusted_kernel_and_the_rounded_truth_pass():
    trusted = trusted_answer(INPUTS)
    for output, state in (
        (trusted.output, trusted.state),
        (EXACT.output.bfloat16(), EXACT.state.float()),
    ):
        output_found, state_found = found(output, state)
        assert output_found.breach is None
        assert 0 < output_found.error <= 1
        assert state_found.breach is None
        assert state_found.family == STATE_FAMILY


@pytest.mark.parametrize(
    "faults",
    [
        Faults(inclusive=False),
        Faults(shift_beta=True),
        Faults(skip_gate=True),
    ],
    ids=str,
)
def test_a_wrong_kernel_in_bf16_is_far_beyond_its_share(faults):
    wrong = truth(INPUTS, torch.float32, faults)
    (finding,) = found(wrong.output.bfloat16())
    assert finding.breach.code is RejectionCode.OUTPUT_MISMATCH
    assert finding.error > 10
    assert finding.family == INPUTS.family_at(finding.head, finding.token)


def test_inputs_in_eight_bits_are_caught_by_their_rms():
    coarse = torch.float8_e4m3fn
    rough = replace(
        INPUTS,
        **{
            name: getattr(INPUTS, name).to(coarse).bfloat16()
            for name in ("q", "k", "v")
        },
    )
    (finding,) = found(truth(rough, torch.float32).output.bfloat16())
    assert finding.breach.measure == "rms"


def test_one_wrong_row_and_one_that_is_no_number_are_named():
    output = EXACT.output.bfloat16()
    output[0, 3, 77] *= 1.5
    (finding,) = found(output)
    assert (finding.head, finding.token) == (3, 77)
    output[0, 5, 400, 0] = torch.nan
    (finding,) = found(output)
    assert (finding.head, finding.token) == (5, 400)
    assert finding.breach.code is RejectionCode.NON_FINITE


def test_a_wrong_state_is_found_beside_a_right_output():
    wrong = EXACT.state.float().clone()
    wrong[0, 2] += 1
    right, finding = found(EXACT.output.bfloat16(), wrong)
    assert right.breach is None
    assert (finding.head, finding.family) == (2, STATE_FAMILY)
    assert finding.breach.code is RejectionCode.OUTPUT_MISMATCH


def test_a_trusted_kernel_without_numbers_is_nobodys_fault(monkeypatch):
    nowhere = Truth(torch.full_like(EXACT.output, torch.nan), EXACT.state)
    monkeypatch.setattr(rules, "trusted_answer", lambda inputs: nowhere)
    with pytest.raises(TrustedKernelError, match="wrong here"):
        found(EXACT.output.bfloat16())


def test_a_bar_looks_at_the_tokens_that_a_mutant_was_run_on():
    bar = RelativeRule().bar(INPUTS, EXACT)
    rows = torch.zeros(1, 8, 64, dtype=torch.float64)
    assert not bar.shows(rows, 448, 2.0)
    rows[0, 6, 10] = 1.0
    assert bar.shows(rows, 448, 2.0)
    assert AbsoluteRule().bar(INPUTS, EXACT).shows(rows, 0, 10.0)
