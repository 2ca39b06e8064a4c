"""The short convolution's kernels, compiled ahead of time."""

import pytest
import torch
from fla_quasar.modules import conv_kernels
from fla_quasar.modules.conv_kernels import places

from tests.support.compiled_kernels import ARCHITECTURES, footprint

CONSTANTS = {"SIZE": 4, "HAS_BIAS": False, "bias": None, "IS_VARLEN": False}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_compiled_they_fit_their_registers(architecture):
    used = footprint(
        conv_kernels.conv_silu_kernel,
        architecture,
        warps=2,
        BT=16,
        BC=512,
        FAST=True,
        **CONSTANTS,
    )
    assert used.spilled_bytes == 0
    used = footprint(
        conv_kernels.conv_silu_backward_kernel,
        architecture,
        warps=1,
        BT=8,
        BC=128,
        FAST=True,
        **CONSTANTS,
    )
    assert used.spilled_bytes == 0
    # a dozen programs of one warp on a multiprocessor
    assert used.registers <= 168
    assert used.shared_bytes <= 1024


def test_a_packed_token_knows_how_far_its_sequence_reaches_back():
    marks = torch.tensor([0, 0, 2, 3, 3, 6], dtype=torch.int32)
    place = places(marks, 6)
    assert place.tolist() == [0, 1, 0, 0, 1, 2]
    assert place.dtype == torch.int32
