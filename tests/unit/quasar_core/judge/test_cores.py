import pytest
import torch
from quasar_core.errors import RejectionCode
from quasar_core.judge.cores import (
    MUTANT_CORES,
    Betas,
    SandboxedOperator,
    core_of,
    exact_core,
    raced_core,
    trusted_core,
)
from quasar_core.judge.exchange import Exchange
from quasar_core.judge.faults import KernelFault, Patience
from quasar_core.judge.inputs import Inputs, draw_inputs
from quasar_core.judge.oracle import truth
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.shapes import CallShape, ElementType

torch.set_num_threads(1)
SEEDS = Seeds(bytes(32), "run")
MEMORY = torch.zeros(1, dtype=torch.uint8)


class FakeSeat:
    """Computes the truth of what it is sent, eight heads at a time."""

    def __init__(self):
        self.shapes = []

    def call(self, shape, sections, patience, *, into):
        self.shapes.append(shape)
        q, k, v, beta = sections
        inputs = Inputs(shape, q, k, v, beta, None, ())
        return Exchange(0.1, truth(inputs).output.float(), None)


def operator(seat):
    return SandboxedOperator(seat, SEEDS, 8, Patience(10), MEMORY)


@pytest.mark.parametrize(("heads", "calls"), [(8, 1), (10, 2), (14, 2)])
def test_heads_come_back_in_their_order_however_they_were_sent(heads, calls):
    inputs = draw_inputs(SEEDS, "c", 0, CallShape(64, heads=heads))
    seat = FakeSeat()
    found = operator(seat)(inputs)
    assert torch.allclose(found, exact_core(inputs), atol=1e-5)
    assert [shape.heads for shape in seat.shapes] == [8] * calls


def test_an_honest_kernel_is_raced_in_its_own_type():
    inputs = draw_inputs(SEEDS, "c", 0, CallShape(128))
    exact = exact_core(inputs)
    assert raced_core(ElementType.FLOAT32) is exact_core
    raced = raced_core(ElementType.BFLOAT16)(inputs)
    assert raced.dtype == exact.dtype == torch.float32
    error = float((raced - exact).norm() / exact.norm())
    assert 1e-4 < error < 3e-2


def test_a_core_that_is_not_finite_is_found_at_once():
    class Bad(FakeSeat):
        def call(self, shape, sections, patience, *, into):
            output = torch.full((1, 8, 64, 64), torch.nan)
            return Exchange(0.1, output, None)

    inputs = draw_inputs(SEEDS, "c", 0, CallShape(64))
    with pytest.raises(KernelFault) as caught:
        operator(Bad())(inputs)
    assert caught.value.code is RejectionCode.NON_FINITE


def test_two_honest_kernels_agree_and_every_mutant_differs():
    inputs = draw_inputs(SEEDS, "c", 0, CallShape(256))
    exact = exact_core(inputs)
    assert torch.allclose(trusted_core(inputs), exact, atol=1e-4)
    for mutant in MUTANT_CORES.values():
        assert not torch.allclose(mutant(inputs), exact, atol=1e-1)


def test_betas_are_drawn_once_against_the_size_of_the_keys():
    keys = torch.ones(1, 10, 64, 64) * 2
    betas = Betas(SEEDS, "p")
    first = betas.of(3, keys)
    assert betas.of(3, keys * 5) is first
    erased = first * 256
    assert 0.05 <= float(erased.min()) <= float(erased.max()) <= 2.0
    assert not torch.equal(Betas(SEEDS, "other").of(3, keys), first)
    assert not torch.equal(betas.of(4, keys), first)


def test_a_length_that_is_not_whole_chunks_is_padded_and_cut():
    inputs = draw_inputs(SEEDS, "c", 0, CallShape(128))
    betas = Betas(SEEDS, "p", {0: inputs.beta})
    core = core_of(exact_core, betas)
    found = core(
        0, inputs.q[:, :, :100], inputs.k[:, :, :100], inputs.v[:, :, :100]
    )
    assert torch.allclose(found, exact_core(inputs)[:, :, :100], atol=1e-6)
