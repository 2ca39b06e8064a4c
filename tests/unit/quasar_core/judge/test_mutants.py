from dataclasses import replace

import pytest
import torch
from quasar_core.domain.tolerance import CPU_ROW_ERROR_BOUND
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.mutants import (
    MUTANTS,
    forgetful_output,
    mutant_rows,
    unseen_mutants,
)
from quasar_core.judge.oracle import truth
from quasar_core.judge.rules import AbsoluteBar, RelativeRule
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape

torch.set_num_threads(1)
SEEDS = Seeds(bytes(32), "run")
BAR = AbsoluteBar(CPU_ROW_ERROR_BOUND)


@pytest.mark.parametrize("tokens", [64, 448, 1152])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_judges_inputs_give_every_mutant_away(tokens, scaled):
    inputs = draw_inputs(SEEDS, "c", 1, CallShape(tokens), scaled=scaled)
    assert unseen_mutants(inputs, truth(inputs), BAR) == ()


def test_in_bf16_a_state_in_bf16_is_looked_for_in_long_inputs_alone():
    settings = JudgeSettings(profile="gpu")
    inputs = draw_inputs(SEEDS, "c", 1, settings.shape(1152))
    exact = truth(inputs)
    bar = RelativeRule().bar(inputs, exact)
    assert unseen_mutants(inputs, exact, bar) == ()
    lost = mutant_rows(MUTANTS["state_in_bfloat16"], inputs, exact)
    assert not bar.shows(*lost, MUTANTS["state_in_bfloat16"].margin)
    assert MUTANTS["state_in_bfloat16"].chunks_in_bfloat16 > 1152 // 64


def test_inputs_that_forget_do_not_show_a_lost_state():
    inputs = draw_inputs(SEEDS, "c", 1, CallShape(1152))
    queries = torch.zeros_like(inputs.q)
    blind = replace(inputs, q=queries)
    unseen = unseen_mutants(blind, truth(blind), BAR)
    assert {"state_dropped", "last_8_chunks", "no_mask"} <= set(unseen)


def test_each_mutant_is_looked_for_only_where_it_can_be_seen():
    inputs = draw_inputs(SEEDS, "c", 1, CallShape(64))
    blind = replace(inputs, q=torch.zeros_like(inputs.q))
    unseen = unseen_mutants(blind, truth(blind), BAR)
    assert set(unseen) == {
        name for name, mutant in MUTANTS.items() if mutant.chunks == 1
    }


def test_who_keeps_all_chunks_forgets_nothing():
    inputs = draw_inputs(SEEDS, "c", 0, CallShape(256))
    whole = truth(inputs, torch.float32).output
    assert torch.allclose(forgetful_output(inputs, 4), whole, atol=1e-4)
    lost = forgetful_output(inputs, 0)
    assert torch.allclose(lost[:, :, :64], whole[:, :, :64], atol=1e-4)
    assert not torch.allclose(lost[:, :, 64:], whole[:, :, 64:], atol=1e-1)
