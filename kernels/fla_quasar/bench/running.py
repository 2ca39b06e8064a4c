"""Everything timed: forward, forward and backward, layers, kernel parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from ..ops.quasar.inputs import check_inputs
from .measuring import Measure, measure
from .peers import (
    Peer,
    layers,
    operators,
    qkv,
    split_over_the_card,
)

# Backward passes keep several inputs' worth of memory alive.
LONGEST_BACKWARD = 300_000


def run_all(
    lengths: Sequence[int], *, patient: bool = True
) -> Iterator[Measure]:
    """Measure every peer at every length, side by side.

    Unless `patient`, the backward passes that tune themselves for minutes
    are left out.
    """
    for tokens in lengths:
        for peer in operators():
            yield from _at(peer, "forward", tokens, _forward)
        for peer in layers():
            yield from _at(peer, "layer", tokens, _forward)
        yield from _parts(tokens)
        for peer in operators():
            is_left_out = peer.tunes_for_minutes and not patient
            if not (
                is_left_out
                or peer.splits_the_card
                or tokens > LONGEST_BACKWARD
            ):
                yield from _at(peer, "both", tokens, _both)


def _at(
    peer: Peer,
    kind: str,
    tokens: int,
    wrap: Callable[[Peer, tuple[Any, ...]], Callable[[], object]],
) -> Iterator[Measure]:
    if tokens > peer.longest:
        return
    try:
        arguments = peer.make(tokens)
    except torch.cuda.OutOfMemoryError:
        yield Measure(kind, peer.name, tokens, failure="out of memory")
        return
    with split_over_the_card(wanted=peer.splits_the_card):
        yield measure(kind, peer.name, tokens, wrap(peer, arguments))


def _forward(peer: Peer, arguments: tuple[Any, ...]) -> Callable[[], object]:
    def call() -> object:
        with torch.inference_mode():
            return peer.call(*arguments)

    return call


def _both(peer: Peer, arguments: tuple[Any, ...]) -> Callable[[], object]:
    with torch.no_grad():
        output = torch.randn_like(peer.call(*arguments))

    def call() -> object:
        for x in arguments:
            x.grad = None
        peer.call(*arguments).backward(output)
        return None

    return call


def _parts(tokens: int) -> Iterator[Measure]:
    """The kernels of one forward and backward pass, one by one."""
    from ..ops.quasar import chunk_backward as back
    from ..ops.quasar import chunk_kernels as ahead

    q, k, v = (x.detach() for x in qkv(tokens))
    beta = torch.ones(q.shape[2], device="cuda")
    inputs = check_inputs(q, k, v, beta, None, None, "interleaved")
    o, final, run = ahead.run_chunk(inputs, maps_of_all=True)
    named: dict[str, Callable[[], object]] = {
        "solve": lambda: ahead.launch_solve(run),
        "segment maps": lambda: ahead.launch_maps(run, of_all=False),
        "scan": lambda: ahead.launch_scan(run),
        "replay": lambda: ahead.launch_replay(run),
    }
    if tokens <= LONGEST_BACKWARD:
        states, corrected = back.launch_states(run)
        slopes = back.launch_gradient_scan(run, o, final)
        after, dv, _ = back.launch_walk(run, o, slopes)
        named |= {
            "states": lambda: back.launch_states(run),
            "gradient maps and scan": lambda: back.launch_gradient_scan(
                run, o, final
            ),
            "gradient walk": lambda: back.launch_walk(run, o, slopes),
            "gradients": lambda: back.launch_rest(
                run, o, dv, states, after, corrected
            ),
        }
    for name, call in named.items():
        yield measure("kernel", name, tokens, call)
