import torch
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.oracle import truth
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.trusted import trusted_answer

SEEDS = Seeds(bytes(32), "run")


def test_the_trusted_kernel_answers_in_the_type_of_its_inputs():
    shape = JudgeSettings(profile="gpu").shape(128, states=True)
    inputs = draw_inputs(SEEDS, "c", 0, shape)
    answer, exact = trusted_answer(inputs), truth(inputs)
    assert answer.output.dtype is torch.bfloat16
    assert answer.state.dtype is torch.float32
    difference = answer.output.double() - exact.output
    assert float(difference.norm() / exact.output.norm()) < 0.01
    assert torch.allclose(answer.state.double(), exact.state, atol=1e-3)
