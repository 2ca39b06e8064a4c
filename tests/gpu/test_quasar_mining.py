"""What miners of the subnet run on their card, with real assertions.

A card too small for a shape gets the next smaller one. Speeds are recorded
(`--junitxml` keeps them), never asserted.
"""

import gc
import time

import pytest
import torch
from fla_quasar.layers import QuasarAttention
from fla_quasar.ops.quasar import chunk_quasar, naive_quasar
from torch.nn.functional import rms_norm, silu

from tests.support.attention_inputs import worst_row_error

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="no CUDA device here"
    ),
]
HIDDEN, HEAD_DIM, HEADS = 512, 64, 8
# of bfloat16 products that round the state to bfloat16
BOUND = 4e-2


def retried(sizes, run):
    """`run` at the largest size that the card has memory for."""
    for size in sizes:
        try:
            return size, run(size)
        except torch.cuda.OutOfMemoryError:
            pass
        # not above: until there the fault holds on to what `run` had
        gc.collect()
        torch.cuda.empty_cache()
    pytest.fail(f"not even {sizes[-1]} fits this card")


def seconds(call):
    call()
    torch.cuda.synchronize()
    started = time.perf_counter()
    call()
    torch.cuda.synchronize()
    return time.perf_counter() - started


def layer(layout="interleaved"):
    torch.manual_seed(0)
    made = QuasarAttention(HIDDEN, HEAD_DIM, HEADS, layout=layout)
    return made.to("cuda", torch.bfloat16)


def test_quasar_basic():
    attention = layer()
    x = torch.randn(2, 300, HIDDEN, device="cuda").to(torch.bfloat16)
    with torch.inference_mode():
        y, _ = attention(x)
        parts = attention.prepare(x)
        tensors = (parts.q, parts.k, parts.v, parts.beta)
        want, _ = naive_quasar(*(t.double() for t in tensors))
        o, _ = chunk_quasar(*tensors)
        assert worst_row_error(o, want) < BOUND
        again = attention.combine(want.to(torch.bfloat16), x)
    assert y.shape == x.shape
    assert (y - again).float().norm() / again.float().norm() < 2e-2
    trained, _ = attention(x)
    assert (trained - y).float().norm() / y.float().norm() < 2e-2
    trained.square().sum().backward()
    for parameter in attention.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


def test_quasar_prefill_benchmark(record_property):
    attention = layer("causal")

    def prefill(tokens):
        x = torch.randn(1, tokens, HIDDEN, device="cuda").to(torch.bfloat16)
        with torch.inference_mode():
            spent = seconds(lambda: attention(x))
            whole, end = attention(x, use_cache=True)
            half = tokens // 2 + 7
            first, cache = attention(x[:, :half], use_cache=True)
            second, last = attention(x[:, half:], cache=cache, use_cache=True)
            y, _ = attention(x[:, :1], cache=end)
            z, _ = attention(x[:, :1], cache=last)
        return spent, whole, (first, second), (end, last), (y, z)

    tokens, (spent, whole, halves, ends, nexts) = retried(
        (1_000_000, 300_000, 100_000, 16_384), prefill
    )
    record_property("tokens", tokens)
    record_property("tokens_per_second", tokens / spent)
    assert whole.isfinite().all()
    for one, other in ((whole, torch.cat(halves, 1)), nexts):
        off = (one - other).float().norm() / one.float().norm()
        assert off < BOUND
    off = (ends[0].state - ends[1].state).norm() / ends[0].state.norm()
    assert off < BOUND


def test_quasar_stacked_benchmark(record_property):
    torch.manual_seed(1)
    stack = torch.nn.ModuleList(layer() for _ in range(4))

    def train(tokens):
        x = torch.randn(1, tokens, HIDDEN, device="cuda").to(torch.bfloat16)
        losses = []

        def step():
            stack.zero_grad()
            y = x
            for attention in stack:
                y = y + attention(rms_norm(y, (HIDDEN,)))[0]
            loss = y.float().square().mean()
            loss.backward()
            losses.append(loss.detach())

        return seconds(step), losses

    tokens, (spent, losses) = retried((100_000, 16_384, 4096), train)
    record_property("tokens", tokens)
    record_property("tokens_per_second", tokens / spent)
    assert torch.equal(losses[0], losses[1])
    assert losses[0].isfinite()
    for parameter in stack.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


def heads(tokens, heads=HEADS, scale=1.0):
    return silu(
        torch.randn(1, tokens, heads, HEAD_DIM, device="cuda") * scale
    ).to(torch.bfloat16)


def test_memory_that_nobody_wrote_is_not_read():
    q, k, v = heads(70_001), heads(70_001), heads(70_001)
    beta = torch.ones(HEADS, device="cuda")
    tensors = [x.requires_grad_() for x in (q, k, v, beta)]
    poison = torch.full((2**28,), torch.nan, device="cuda")
    del poison
    o, state = chunk_quasar(*tensors, None, True)
    (o.float().square().sum() + state.square().sum()).backward()
    assert o.isfinite().all()
    assert state.isfinite().all()
    assert all(x.grad.isfinite().all() for x in tensors)


def test_the_same_inputs_give_the_same_bits():
    q, k, v = heads(30_000), heads(30_000), heads(30_000)
    beta = torch.ones(HEADS, device="cuda")

    def run():
        tensors = [x.clone().requires_grad_() for x in (q, k, v, beta)]
        o, _ = chunk_quasar(*tensors)
        o.float().square().sum().backward()
        return [o, *(x.grad for x in tensors)]

    first, second = run(), run()
    assert all(map(torch.equal, first, second))


def test_no_causal_token_sees_a_later_one():
    q, k, v = heads(9000), heads(9000), heads(9000)
    beta = torch.ones(HEADS, device="cuda")
    before, _ = chunk_quasar(q, k, v, beta, layout="causal")
    k[:, 5001:], v[:, 5001:] = 3, -3
    after, _ = chunk_quasar(q, k, v, beta, layout="causal")
    assert torch.equal(before[:, :5001], after[:, :5001])


@pytest.mark.parametrize("layout", ["causal", "interleaved"])
def test_more_than_two_to_the_31_elements_are_addressed(layout):
    def run(tokens):
        q = torch.empty(
            1, tokens, HEADS, HEAD_DIM, device="cuda", dtype=torch.bfloat16
        )
        for start in range(0, tokens, 2**20):
            q[:, start : start + 2**20].normal_(std=0.3)
        beta = torch.ones(HEADS, device="cuda")
        with torch.inference_mode():
            o, _ = chunk_quasar(q, q, q, beta, layout=layout)
        return q, o

    tokens, (q, o) = retried((2**22 + 65, 2**20 + 65), run)
    longer = tokens + -tokens % 64
    # the last rows of the last head; the function forgets those before
    if layout == "causal":
        rows, mine = q[:, -6000:, -1:], o[:, -1000:, -1:]
    else:
        start = (HEADS - 1) * longer
        rows = q.view(1, -1, 1, HEAD_DIM)[:, start:][:, -6000:]
        end = tokens * HEADS - start
        mine = o[:, end - 1000 : end, -1:]
    beta = torch.ones(1, device="cuda", dtype=torch.float64)
    rows = rows.double()
    want, _ = chunk_quasar(rows, rows, rows, beta, layout="causal")
    assert worst_row_error(mine, want[:, -1000:]) < BOUND
