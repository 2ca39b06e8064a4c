"""The chunk form in Triton: interpreted, and compiled ahead of time."""

import pytest
import torch
from fla_quasar.ops.quasar import chunk_kernels
from fla_quasar.ops.quasar.chunk_kernels import cut, scan_warps, tile_of
from fla_quasar.ops.quasar.inputs import read_inputs

from tests.support.compiled_kernels import ARCHITECTURES, footprint
from tests.support.interpreted_kernels import errors_of


def inputs_of(tokens, heads=8, marks=None, batch=1):
    x = torch.empty(1, 1, 1, 16).expand(batch, tokens, heads, 16)
    if marks is not None:
        marks = torch.tensor(marks)
    return read_inputs(x, x, x, torch.ones(heads), None, marks, "causal")


def test_interpreted_it_is_right():
    errors = errors_of("chunk")
    # the interpreter rounds bfloat16 down, which loses up to two to the -8
    assert errors.pop("bfloat16") < 2**-7
    assert len(errors) == 16
    assert {n: e for n, e in errors.items() if not e < 1e-5} == {}


@pytest.mark.parametrize("tokens", [1, 511, 512, 513, 4097, 100_000])
def test_segments_cover_every_token_once(tokens):
    segments = cut(inputs_of(tokens))
    each, length = segments.per_sequence, segments.length
    assert (each - 1) * length < tokens <= each * length
    assert segments.number == each
    assert length % chunk_kernels.BLOCK_TOKENS == 0


def test_a_long_sequence_fills_the_device_and_a_short_one_is_one_segment():
    assert 60 <= cut(inputs_of(1_000_000)).number <= 66
    assert cut(inputs_of(512)).number == 1
    assert cut(inputs_of(100_000, heads=600)).number == 1


def test_each_sequence_of_a_batch_has_its_own_segments():
    segments = cut(inputs_of(100, batch=3), 48)
    assert (segments.number, segments.per_sequence) == (9, 3)


def test_packed_sequences_are_cut_one_by_one():
    segments = cut(inputs_of(100, marks=[0, 0, 64, 100]), 48)
    assert segments.table.tolist() == [
        [0, 0, 0, 1],
        [1, 0, 48, 0],
        [1, 48, 64, 1],
        [2, 64, 100, 1],
    ]
    assert segments.firsts.tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("head_dim", [64, 128])
@pytest.mark.parametrize("name", ["segment_maps_kernel", "replay_kernel"])
def test_compiled_for_bfloat16_it_fits(name, head_dim, architecture):
    width, warps = tile_of(head_dim, torch.bfloat16)
    used = footprint(
        getattr(chunk_kernels, name),
        architecture,
        warps=warps,
        S=head_dim,
        BT=chunk_kernels.BLOCK_TOKENS,
        BV=width,
        IS_VARLEN=False,
        SPLIT=True,
        UPCAST=False,
    )
    assert used.spilled_bytes <= 32
    assert used.shared_bytes <= 32 * 1024


@pytest.mark.parametrize("name", ["segment_maps_kernel", "replay_kernel"])
def test_compiled_for_float32_and_packed_sequences_it_fits(name):
    width, warps = tile_of(64, torch.float32)
    used = footprint(
        getattr(chunk_kernels, name),
        90,
        "fp32",
        warps=warps,
        S=64,
        BT=chunk_kernels.BLOCK_TOKENS,
        BV=width,
        IS_VARLEN=True,
        SPLIT=False,
        UPCAST=False,
    )
    assert used.spilled_bytes <= 32
    assert used.shared_bytes <= 32 * 1024


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("head_dim", [64, 128])
def test_the_compiled_scan_fits(head_dim, architecture):
    used = footprint(
        chunk_kernels.scan_kernel,
        architecture,
        warps=scan_warps(head_dim),
        stages=2,
        S=head_dim,
        BV=16,
        IS_VARLEN=False,
    )
    assert used.spilled_bytes <= 128
    assert used.shared_bytes <= 96 * 1024
