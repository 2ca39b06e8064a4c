"""On a device: the layer's kernels, torch.compile, a million tokens."""

from copy import deepcopy

import pytest
import torch
from fla_quasar.layers import QuasarAttention
from fla_quasar.ops.quasar import chunk_quasar

from tests.support.attention_inputs import make_case, worst_row_error

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="no CUDA device here"
    ),
]


def layer(dtype, **options):
    torch.manual_seed(0)
    options = {"layout": "causal", "conv_bias": True} | options
    made = QuasarAttention(512, 64, 8, **options)
    for name, parameter in made.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=0.1)
    return made.to("cuda", dtype)


def outcome(form, x, marks=None):
    """The output, and the gradients of x and of every parameter."""
    form.zero_grad()
    x = x.detach().requires_grad_()
    y, _ = form(x, cu_seqlens=marks)
    (
        y.double()
        * torch.sin(torch.arange(y.numel(), device="cuda")).view(y.shape)
    ).sum().backward()
    return [y.detach(), x.grad, *(p.grad.clone() for p in form.parameters())]


def furthest(got, want):
    return max(
        float((mine.double() - true.double()).norm() / true.double().norm())
        for mine, true in zip(got, want, strict=True)
    )


@pytest.mark.parametrize(
    ("dtype", "bound"), [(torch.float32, 1e-4), (torch.bfloat16, 5e-2)]
)
@pytest.mark.parametrize("packed", [False, True])
def test_it_trains_as_float64_does(dtype, bound, packed):
    attention = layer(dtype)
    x = torch.randn(1, 1000, 512, device="cuda").to(dtype)
    marks = torch.tensor([0, 3, 3, 700, 1000], device="cuda")
    marks = marks if packed else None
    got = outcome(attention, x, marks)
    want = outcome(deepcopy(attention).double(), x.double(), marks)
    assert furthest(got, want) < bound


@pytest.mark.parametrize("head_dim", [16, 32, 128])
def test_every_head_dimension_trains(head_dim):
    torch.manual_seed(0)
    attention = QuasarAttention(96, head_dim, 3).cuda()
    x = torch.randn(2, 130, 96, device="cuda")
    got = outcome(attention, x)
    want = outcome(deepcopy(attention).double(), x.double())
    assert furthest(got, want) < 1e-4


def test_torch_compile_takes_it_whole():
    attention = layer(torch.bfloat16)
    x = torch.randn(1, 1000, 512, device="cuda").to(torch.bfloat16)
    compiled = torch.compile(attention, fullgraph=True)
    assert furthest(outcome(compiled, x), outcome(attention, x)) < 3e-2
    with torch.inference_mode():
        got, want = compiled(x)[0], attention(x)[0]
    assert furthest([got], [want]) < 3e-2


@pytest.mark.parametrize(
    ("family", "bound"), [("plain", 8e-3), ("long_memory", 4e-3)]
)
def test_the_gradient_of_beta_is_right_in_bfloat16(family, bound):
    x = make_case(family, 4096, heads=8, head_dim=64, device="cuda")
    x = x.to(torch.bfloat16)

    def gradient(case):
        case = case.wanting_gradients()
        o, _ = chunk_quasar(*case.tensors, layout="causal")
        weights = torch.sin(torch.arange(o.numel(), device="cuda"))
        (o.double() * weights.view(o.shape)).sum().backward()
        return case.beta.grad.double()

    want = gradient(x.doubled())
    assert (gradient(x) - want).norm() / want.norm() < bound


def test_a_million_tokens_are_right_piece_by_piece():
    tokens, piece = 1_000_000, 50_000
    x = make_case("plain", piece, heads=8, head_dim=64, device="cuda")
    generator = torch.Generator("cuda").manual_seed(1)
    shape = (1, tokens, 8, 64)
    q, k, v = (
        torch.nn.functional.silu(
            torch.randn(shape, device="cuda", generator=generator)
        ).to(torch.bfloat16)
        for _ in range(3)
    )
    # keys that remember some 4,000 tokens
    k = (k * 0.017).contiguous()
    with torch.inference_mode():
        o, end = chunk_quasar(
            q, k, v, x.beta, output_final_state=True, layout="causal"
        )
        state, errors = None, []
        for start in range(0, tokens, piece):
            at = slice(start, start + piece)
            want, state = chunk_quasar(
                q[:, at].double(),
                k[:, at].double(),
                v[:, at].double(),
                x.beta.double(),
                state,
                True,
                layout="causal",
            )
            errors.append(worst_row_error(o[:, at], want))
    assert max(errors) < 2e-2
    # and no worse at the end than at the beginning
    assert max(errors[10:]) < 2 * max(errors[:10])
    assert (end - state).norm() / state.norm() < 1e-2


def test_the_error_on_stiff_keys_does_not_grow_from_a_zero_state():
    x = make_case("stiff", 65_536, heads=8, head_dim=64, device="cuda")
    x = x.to(torch.bfloat16)
    with torch.inference_mode():
        o, _ = chunk_quasar(x.q, x.k, x.v, x.beta, layout="causal")
        want, _ = chunk_quasar(
            *(t.double() for t in (x.q, x.k, x.v, x.beta)), layout="causal"
        )
    off = (o.double() - want).norm(dim=-1)
    early = off[:, 4096:16_384].square().mean().sqrt()
    late = off[:, -16_384:].square().mean().sqrt()
    assert late < 1.1 * early
