import pytest
import torch
from fla_quasar.ops.quasar.naive import naive_quasar
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.oracle import Faults, truth
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.shapes import CallShape

torch.set_num_threads(1)
SEEDS = Seeds(bytes(32), "run")


@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("tokens", [64, 192])
def test_the_chunk_form_is_the_recurrence(tokens, state):
    shape = CallShape(
        tokens, heads=4, head_dim=16, initial_state=state, final_state=True
    )
    inputs = draw_inputs(SEEDS, "c", tokens, shape)
    size = (1, tokens, 4, 16)
    q, k, v = (
        x.double().contiguous().view(size)
        for x in (inputs.q, inputs.k, inputs.v)
    )
    initial = inputs.initial_state
    o, final = naive_quasar(
        q,
        k,
        v,
        inputs.beta.double(),
        initial_state=None if initial is None else initial.double(),
        output_final_state=True,
    )
    exact = truth(inputs)
    assert torch.allclose(
        exact.output.transpose(1, 2), o, rtol=1e-9, atol=1e-10
    )
    assert torch.allclose(exact.state, final.double(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("segment", [64, 192, 256])
def test_segments_give_what_one_piece_gives(segment):
    shape = CallShape(512, initial_state=True, final_state=True)
    inputs = draw_inputs(SEEDS, "c", 3, shape)
    whole = truth(inputs)
    pieces = truth(inputs, segment=segment)
    for one, other in zip(
        (whole.output, whole.state), (pieces.output, pieces.state), strict=True
    ):
        assert float((one - other).abs().max() / one.abs().max()) < 1e-12


def test_the_form_in_float32_is_close_to_the_truth():
    inputs = draw_inputs(SEEDS, "c", 0, CallShape(512))
    exact, form = truth(inputs), truth(inputs, torch.float32)
    scale = exact.output.norm(dim=-1).mean()
    assert (form.output - exact.output).norm(dim=-1).max() / scale < 1e-5


@pytest.mark.parametrize(
    "faults",
    [
        Faults(mask=False),
        Faults(inclusive=False),
        Faults(solve_terms=1),
        Faults(shift_beta=True),
        Faults(skip_gate=True),
        Faults(round_state=True),
    ],
    ids=str,
)
def test_a_fault_shows(faults):
    inputs = draw_inputs(SEEDS, "c", 0, CallShape(192))
    exact = truth(inputs).output
    wrong = truth(inputs, torch.float64, faults).output
    assert not torch.allclose(wrong, exact, rtol=1e-3, atol=1e-3)
