"""Triton kernels compiled ahead of time, for GPUs that are not here."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

ARCHITECTURES = (80, 90)
# every argument that is no size, and no pointer to what has the dtype of q
_POINTERS = {
    "beta": "*fp32",
    "initial": "*fp32",
    "final": "*fp32",
    "states": "*fp32",
    "maps": "*fp32",
    "scratch": "*fp32",
    "m": "*fp32",
    "scores": "*fp32",
    "inverse": "*fp32",
    "lambda_t": "*fp32",
    "alpha": "*fp32",
    "d_maps": "*fp32",
    "d_states": "*fp32",
    "d_final": "*fp32",
    "d_initial": "*fp32",
    "d_beta": "*fp32",
    "d_weight": "*fp32",
    "d_bias": "*fp32",
    "place": "*i32",
    "eps": "fp32",
    "table": "*i64",
    "firsts": "*i64",
    "spans": "*i64",
    "cu_seqlens": "*i64",
}

_OF_INPUTS = (
    *("q", "k", "v", "o", "do", "dq", "dk", "dv"),
    *("x", "y", "low", "up", "weight", "bias"),
    *("dx", "dy", "d_gate"),
)
# of the dtype of q for bfloat16, and float32 for the rest
_WORKED_OUT = ("solved", "before", "after", "corrected")
_TABLES = {"table", "firsts", "spans", "cu_seqlens", "place"}


@dataclass(frozen=True)
class Footprint:
    """What one program takes: registers of a thread, spills, bytes."""

    registers: int
    spilled_bytes: int
    shared_bytes: int


def footprint(
    kernel: Any,
    architecture: int,
    dtype: str = "bf16",
    warps: int = 4,
    stages: int = 3,
    **constants: Any,
) -> Footprint:
    """Compile `kernel` for sm_`architecture` and read the cubin's usage.

    `dtype` is Triton's name for the dtype of q, k, v and o. Where sequences
    are not packed their tables are None, and pointers and strides are
    aligned to 16, as a launch of ordinary tensors hands them over.
    """
    if not constants.get("IS_VARLEN", True):
        absent = _TABLES & set(kernel.arg_names)
        constants |= dict.fromkeys(absent, None)
    types = dict.fromkeys(_OF_INPUTS, f"*{dtype}") | _POINTERS
    worked_out = "*bf16" if dtype == "bf16" else "*fp32"
    types |= dict.fromkeys(_WORKED_OUT, worked_out)
    signature = {
        name: "constexpr" if name in constants else types.get(name, "i32")
        for name in kernel.arg_names
    }
    aligned = {
        (i,): [["tt.divisibility", 16]]
        for i, name in enumerate(kernel.arg_names)
        if signature[name].startswith("*") or name.startswith("stride")
    }
    compiled = triton.compile(
        ASTSource(kernel, signature, constants, aligned),
        target=GPUTarget("cuda", architecture, 32),
        options={"num_warps": warps, "num_stages": stages},
    )
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(compiled.asm["cubin"])
        file.flush()
        usage = subprocess.run(
            [triton.knobs.nvidia.cuobjdump.path, "-res-usage", file.name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    found = re.search(r"REG:(\d+).*?STACK:(\d+)", usage)
    assert found, usage
    registers, spilled = map(int, found.groups())
    return Footprint(registers, spilled, compiled.metadata.shared)
