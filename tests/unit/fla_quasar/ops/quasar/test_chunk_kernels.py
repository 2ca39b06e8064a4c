"""The chunk form in Triton: interpreted, and compiled ahead of time."""

import pytest
import torch
import triton.language as tl
from fla_quasar.ops.quasar import chunk_kernels
from fla_quasar.ops.quasar.chunk_kernels import (
    chunk_size,
    maps_tile,
    replay_tile,
    scan_tile,
    solved_together,
)

from tests.support.compiled_kernels import ARCHITECTURES, footprint
from tests.support.interpreted_kernels import errors_of

NAMES = {
    "bf16": torch.bfloat16,
    "fp32": torch.float32,
    "fp16": torch.float16,
}


def test_interpreted_it_is_right():
    errors = errors_of("chunk")
    # the interpreter rounds bfloat16 down, which loses up to two to the -8
    assert errors.pop("bfloat16") < 2**-7
    # half of what is lost on keys that are nearly parallel is G's digits
    coarse, fine = errors.pop("coarse"), errors.pop("fine")
    assert fine < coarse / 2
    assert len(errors) == 17
    assert {n: e for n, e in errors.items() if not e < 1e-5} == {}


def footprints(
    head_dim, architecture, name="bf16", *, packed=False, fine=False
):
    """Of the solver, the maps and the replay, as they are launched."""
    dtype = NAMES[name]
    maps, replay = maps_tile(head_dim, dtype), replay_tile(head_dim, dtype)
    shared = {
        "S": head_dim,
        "C": chunk_size(head_dim, dtype),
        "IS_VARLEN": packed,
        "FINE": fine,
        "DT": tl.bfloat16 if name == "bf16" else tl.float32,
    }
    return (
        footprint(
            chunk_kernels.solve_kernel,
            architecture,
            name,
            1,
            NCP=solved_together(head_dim),
            **shared,
        ),
        footprint(
            chunk_kernels.segment_maps_kernel,
            architecture,
            name,
            maps.warps,
            BM=maps.rows,
            OF_ALL=False,
            STAGES=maps.stages,
            **shared,
        ),
        footprint(
            chunk_kernels.replay_kernel,
            architecture,
            name,
            replay.warps,
            BV=replay.rows,
            STAGES=replay.stages,
            **shared,
        ),
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("head_dim", [16, 64, 128])
def test_compiled_for_bfloat16_it_fits(head_dim, architecture):
    for used in footprints(head_dim, architecture):
        assert used.spilled_bytes <= 32
        assert used.shared_bytes <= 64 * 1024


@pytest.mark.parametrize("fine", [False, True])
def test_the_raced_shape_leaves_room_for_four_programs_of_each(fine):
    solve, maps, replay = footprints(64, 90, fine=fine)
    for used in (solve, maps, replay):
        assert used.spilled_bytes == 0
        assert used.shared_bytes <= 48 * 1024
    assert maps.registers <= 128
    assert replay.registers <= (152 if fine else 128)


@pytest.mark.parametrize("name", ["fp32", "fp16"])
def test_compiled_for_other_dtypes_and_packed_sequences_it_fits(name):
    for used in footprints(64, 90, name, packed=True):
        assert used.spilled_bytes <= 64
        assert used.shared_bytes <= 64 * 1024


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("head_dim", [64, 128])
def test_the_compiled_scan_fits(head_dim, architecture):
    tile = scan_tile(head_dim)
    used = footprint(
        chunk_kernels.scan_kernel,
        architecture,
        warps=tile.warps,
        S=head_dim,
        BV=tile.rows,
        IS_VARLEN=False,
        STAGES=tile.stages,
    )
    assert used.spilled_bytes <= 128
    assert used.shared_bytes <= 96 * 1024
