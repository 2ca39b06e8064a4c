"""The gradients of the chunk form in Triton: interpreted, and compiled."""

import pytest
import torch
import triton.language as tl
from fla_quasar.ops.quasar import chunk_backward
from fla_quasar.ops.quasar.chunk_backward import gradients_warps, walk_tile
from fla_quasar.ops.quasar.chunk_kernels import chunk_size, scan_tile

from tests.support.compiled_kernels import ARCHITECTURES, footprint
from tests.support.interpreted_kernels import errors_of

NAMES = {"bf16": torch.bfloat16, "fp32": torch.float32}
WALKS = (
    chunk_backward.states_kernel,
    chunk_backward.gradient_maps_kernel,
    chunk_backward.gradient_walk_kernel,
)


def test_interpreted_they_are_those_of_the_truth():
    errors = errors_of("backward")
    # the interpreter rounds bfloat16 down, and gradients are in q's dtype
    assert errors.pop("bfloat16") < 2**-6
    assert errors.pop("float16") < 1e-3
    assert len(errors) == 9
    assert {n: e for n, e in errors.items() if not e < 1e-5} == {}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    ("head_dim", "name", "packed"),
    [(64, "bf16", False), (128, "bf16", True), (64, "fp32", True)],
)
def test_compiled_they_fit(head_dim, name, packed, architecture):
    dtype = NAMES[name]
    shared = {"S": head_dim, "IS_VARLEN": packed}
    chunks = {
        "C": chunk_size(head_dim, dtype),
        "DT": tl.bfloat16 if name == "bf16" else tl.float32,
    }
    tile = walk_tile(head_dim, dtype)
    for kernel in WALKS:
        used = footprint(
            kernel,
            architecture,
            name,
            tile.warps,
            BV=tile.rows,
            STAGES=tile.stages,
            FINE=name == "bf16",
            **shared,
            **chunks,
        )
        assert used.spilled_bytes <= 256
        assert used.shared_bytes <= 64 * 1024
    used = footprint(
        chunk_backward.gradients_kernel,
        architecture,
        name,
        gradients_warps(head_dim, dtype),
        **shared,
        **chunks,
    )
    assert used.spilled_bytes <= 512
    assert used.shared_bytes <= 96 * 1024
    steps = scan_tile(head_dim)
    used = footprint(
        chunk_backward.gradient_scan_kernel,
        architecture,
        name,
        steps.warps,
        BV=steps.rows,
        STAGES=steps.stages,
        **shared,
    )
    assert used.spilled_bytes <= 128
    assert used.shared_bytes <= 96 * 1024
