"""The small Triton kernels: interpreted, and compiled ahead of time."""

import pytest
from fla_quasar.ops.quasar import kernels

from tests.support.compiled_kernels import ARCHITECTURES, footprint
from tests.support.interpreted_kernels import errors_of


def test_interpreted_they_are_right():
    errors = errors_of("small")
    assert len(errors) == 12
    assert {n: e for n, e in errors.items() if not e < 1e-5} == {}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    ("kernel", "constants"),
    [
        (kernels.gate_kernel, {"BLOCK": 1024}),
        (kernels.forward_substitution_kernel, {"BT": 64}),
        (
            kernels.token_tile_kernel,
            {"S": 64, "BT": 64, "BC": 16, "UPCAST": False},
        ),
        (kernels.recurrent_kernel, {"S": 64, "BV": 32, "IS_VARLEN": False}),
        (kernels.recurrent_kernel, {"S": 128, "BV": 32, "IS_VARLEN": True}),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_compiled_they_fit_their_registers(kernel, constants, architecture):
    used = footprint(kernel, architecture, **constants)
    assert used.spilled_bytes == 0
    assert used.shared_bytes <= 32 * 1024
