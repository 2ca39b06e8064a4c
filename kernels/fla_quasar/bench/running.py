"""One row: what it calls, how that is timed or taken apart."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import torch

from ..ops.quasar.inputs import check_inputs
from .accuracy import compare
from .measuring import Measure, measure, measure_limit, tried
from .peers import Peer, layer, operator, qkv, split_over_the_card
from .profiling import kernel_times
from .rows import LAYER, LONGEST_BACKWARD, Row
from .tuning import tuned

Call = Callable[[], object]


def run(row: Row) -> Measure:
    """Measure `row` on the device.

    Running out of memory is an answer, and so is a peer that is not
    installed or cannot run with the versions that are.
    """
    torch.manual_seed(0)
    with tuned(briefly=row.is_tuned_briefly):
        try:
            return tried(row.kind, row.name, row.tokens, lambda: _run(row))
        finally:
            gc.collect()
            torch.cuda.empty_cache()


def _run(row: Row) -> Measure:
    if row.kind == "limit":
        return measure_limit(row.name)
    if row.kind == "accuracy":
        return compare(row.name, row.tokens)
    if row.kind == "kernel":
        return _kernels(row)
    if row.kind == "profile":
        return _profile(row)
    peer = (layer if row.kind in ("layer", "training") else operator)(row.name)
    wrap = both if row.kind in ("both", "training") else forward
    with split_over_the_card(wanted=peer.splits_the_card):
        call = wrap(peer, peer.make(row.tokens))
        return measure(row.kind, row.name, row.tokens, call)


def forward(peer: Peer, arguments: tuple[Any, ...]) -> Call:
    """A call that keeps nothing for a gradient."""

    def call() -> object:
        with torch.inference_mode():
            return peer.call(*arguments)

    return call


def both(peer: Peer, arguments: tuple[Any, ...]) -> Call:
    """A call and its gradients, of arguments and parameters."""
    with torch.no_grad():
        output = torch.randn_like(peer.call(*arguments))
    parameters = peer.module.parameters() if peer.module else ()
    leaves = [*arguments, *parameters]

    def call() -> object:
        for x in leaves:
            x.grad = None
        peer.call(*arguments).backward(output)
        return None

    return call


def _profile(row: Row) -> Measure:
    """The device's time of one call of our layer, by kernel."""
    peer = layer(LAYER)
    wrap = both if row.name.endswith("training") else forward
    parts = kernel_times(wrap(peer, peer.make(row.tokens)))
    return Measure(
        row.kind, row.name, row.tokens, sum(parts.values()), parts=parts
    )


def _kernels(row: Row) -> Measure:
    """The kernels of one forward and backward pass, one by one."""
    parts: dict[str, float] = {}
    for name, call in _launches(row.tokens).items():
        timed = measure(row.kind, name, row.tokens, call)
        if timed.milliseconds is not None:
            parts[name] = timed.milliseconds
    total = sum(parts[x] for x in ("solve", "segment maps", "scan", "replay"))
    return Measure(row.kind, row.name, row.tokens, total, parts=parts)


def _launches(tokens: int) -> dict[str, Call]:
    from ..ops.quasar import chunk_backward as back
    from ..ops.quasar import chunk_kernels as ahead

    q, k, v = (x.detach() for x in qkv(tokens))
    beta = torch.ones(q.shape[2], device="cuda")
    inputs = check_inputs(q, k, v, beta, None, None, "interleaved")
    o, final, run_ = ahead.run_for_gradients(inputs)
    named: dict[str, Call] = {
        "solve": lambda: ahead.launch_solve(run_),
        "segment maps": lambda: ahead.launch_maps(run_, of_all=False),
        "scan": lambda: ahead.launch_scan(run_),
        "replay": lambda: ahead.launch_replay(run_),
        "forward": lambda: ahead.launch_chunk(inputs),
        "forward, fine": lambda: ahead.launch_chunk(inputs, fine=True),
    }
    if tokens > LONGEST_BACKWARD:
        return named
    states, corrected = back.launch_states(run_)
    slopes = back.launch_gradient_scan(run_, o, final)
    after, dv, _ = back.launch_walk(run_, o, slopes)
    return named | {
        "states": lambda: back.launch_states(run_),
        "gradient maps and scan": lambda: back.launch_gradient_scan(
            run_, o, final
        ),
        "gradient walk": lambda: back.launch_walk(run_, o, slopes),
        "gradients": lambda: back.launch_rest(
            run_, o, dv, states, after, corrected
        ),
    }
