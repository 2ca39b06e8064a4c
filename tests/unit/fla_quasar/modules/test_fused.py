"""The layer's fused parts: interpreted, and compiled ahead of time."""

import pytest
import triton.language as tl
from fla_quasar.modules import fused

from tests.support.compiled_kernels import ARCHITECTURES, footprint
from tests.support.interpreted_kernels import errors_of


def test_interpreted_the_layer_is_the_same_with_them():
    errors = errors_of("layer")
    assert len(errors) == 7
    assert {n: e for n, e in errors.items() if not e < 1e-5} == {}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_compiled_they_fit_their_registers(architecture):
    used = footprint(
        fused.conv_silu_kernel,
        architecture,
        warps=2,
        SIZE=4,
        BT=16,
        BC=512,
        HAS_BIAS=False,
        FAST=True,
        bias=None,
    )
    assert used.spilled_bytes == 0
    used = footprint(
        fused.gated_norm_kernel,
        architecture,
        S=64,
        R=64,
        BT=64,
        DT=tl.bfloat16,
        FAST=True,
    )
    assert used.spilled_bytes == 0
    assert used.shared_bytes <= 64 * 1024
