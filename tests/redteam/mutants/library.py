"""The mutants: wrong kernels, each a small departure from the trusted one.

They are no cheats but faults. Patches change the text of the trusted chunk
form as it is told in `tests/support/kernel_sources.py` (a test holds it
against the baseline); the others spoil what the right kernel is given or
gives back.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import torch

from tests.support.kernel_sources import HONEST, changed

Kernel = Callable[..., tuple[torch.Tensor, torch.Tensor | None]]

STEP = "state = state + k[:, :, n].mT @ d"
SOLVED = (
    "solved = torch.linalg.solve_triangular(\n"
    "        lower, right, upper=False, unitriangular=True)"
)
GATE = (
    "alpha = -torch.expm1(-beta.view(1, H, 1, 1, 1) * square)"
    " / (square + 1e-8)"
)
LATE = """\
late = k[:, :, n].mT @ d
        state = state + (early if n else 0 * late)
        early = late"""
OUTPUT = "    o = o.reshape(B, H, T, S).transpose(1, 2)"

Patch = tuple[tuple[str, str], ...]


def window(chunks: int) -> Patch:
    """Keep what the last so many chunks wrote, in a ring."""
    kept = f"        state = sum(ring[-{chunks}:])"
    return (
        ("o = torch.empty_like(v)", "o, ring = torch.empty_like(v), [state]"),
        (f"        {STEP}", f"        ring.append(k[:, :, n].mT @ d)\n{kept}"),
    )


def solve_cut(terms: int) -> Patch:
    """A Neumann series of so many terms for the triangular solve."""
    series = (
        "solved = term = right\n"
        f"    for _ in range({terms}):\n"
        "        term = -(lower @ term)\n"
        "        solved = solved + term"
    )
    return ((SOLVED, series),)


PATCHES: Mapping[str, Patch] = MappingProxyType(
    {
        "state dropped between chunks": ((STEP, "pass"),),
        **{
            f"last {chunks} chunks kept": window(chunks)
            for chunks in (1, 2, 8, 64)
        },
        "state in bf16": (
            (STEP, f"{STEP}\n        state = state.bfloat16().float()"),
        ),
        "gate skipped": (
            (
                GATE,
                "alpha = beta.view(1, H, 1, 1, 1) / (1 + square)",
            ),
        ),
        "beta skipped": (("-beta.view(1, H, 1, 1, 1) * square", "-square"),),
        "beta of the next head": (
            ("beta.view(1, H, 1, 1, 1)", "beta.roll(1).view(1, H, 1, 1, 1)"),
        ),
        "mask exclusive": (("(q @ k.mT).tril()", "(q @ k.mT).tril(-1)"),),
        "no mask": (("(q @ k.mT).tril()", "(q @ k.mT)"),),
        "last chunk ignored": ((OUTPUT, f"    o[:, :, -1] = 0\n{OUTPUT}"),),
        **{
            f"solve cut after {terms} terms": solve_cut(terms)
            for terms in (0, 1, 2, 4, 16)
        },
        "head 0 broadcast": (
            (OUTPUT, f"    o = o[:, :1].expand_as(o)\n{OUTPUT}"),
        ),
        "heads permuted": ((OUTPUT, f"    o = o.roll(1, 1)\n{OUTPUT}"),),
        "scaled by 1/sqrt(S)": ((OUTPUT, f"    o = o / S**0.5\n{OUTPUT}"),),
        "initial state ignored": (("state = initial_state", "state = None"),),
        "causal where interleaved is asked": (
            (
                "x.contiguous().view(B, H, T // 64, 64, S)",
                "x.transpose(1, 2).reshape(B, H, T // 64, 64, S)",
            ),
        ),
        "interleaved output left head-first": (
            (OUTPUT, "    o = o.reshape(B, T, H, S)"),
        ),
        "state one chunk late": (
            (
                f"        {STEP}",
                f"        {LATE}",
            ),
        ),
    }
)


@functools.cache
def kernel_of(text: str) -> Kernel:
    """The chunk_quasar of a kernel's text, in this process."""
    space: dict[str, Any] = {}
    exec(compile(text, "mutant", "exec"), space)
    return space["chunk_quasar"]


def one_in_a_million(o: torch.Tensor) -> torch.Tensor:
    """One element is off by a hundredth of its row."""
    row = o[0, o.shape[1] // 2, -1]
    row[7] += 0.01 * row.norm()
    return o


def nan_at_one_token(o: torch.Tensor) -> torch.Tensor:
    """One row is NaN."""
    o[0, o.shape[1] // 3, 0] = math.nan
    return o


class SpoilsOutput:
    """Right, but for what `spoil` does to the output of call `only`."""

    def __init__(
        self,
        spoil: Callable[[torch.Tensor], torch.Tensor],
        only: int | None = None,
    ) -> None:
        self._spoil, self._only, self._calls = spoil, only, 0

    def __call__(self, *tensors: torch.Tensor, **options: Any):
        call, self._calls = self._calls, self._calls + 1
        o, state = kernel_of(HONEST)(*tensors, **options)
        if self._only in {None, call}:
            o = self._spoil(o.clone())
        return o, state


class StaleState:
    """Starts from the state that the call before it left."""

    def __init__(self) -> None:
        self._left: torch.Tensor | None = None

    def __call__(self, *tensors: torch.Tensor, **options: Any):
        asked = options.get("output_final_state", False)
        given = options.get("initial_state")
        o, left = kernel_of(HONEST)(
            *tensors,
            initial_state=self._left if given is None else given,
            output_final_state=True,
        )
        self._left = left
        return o, left if asked else None


class StaleOutput:
    """Answers with the output of the last call of this shape."""

    def __init__(self) -> None:
        self._left: dict[tuple[int, ...], Any] = {}

    def __call__(self, *tensors: torch.Tensor, **options: Any):
        shape = tuple(tensors[0].shape)
        result = kernel_of(HONEST)(*tensors, **options)
        return self._left.setdefault(shape, result)[0], result[1]


def mutants(calls: int) -> Iterator[tuple[str, Kernel]]:
    """(name, kernel) of every mutant, fresh; of `calls` calls in all."""
    for name, patch in PATCHES.items():
        yield name, kernel_of(changed(*patch))
    yield "one element in a million wrong", SpoilsOutput(one_in_a_million)
    yield "NaN at one token", SpoilsOutput(nan_at_one_token)
    yield "stale state from the previous call", StaleState()
    yield "stale output from the previous call", StaleOutput()
    for call in range(calls):
        spoiled = SpoilsOutput(one_in_a_million, call)
        yield f"wrong only at call {call}", spoiled
