"""Screening through its front door: whole submissions, told apart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quasar_core.domain import screening
from quasar_core.domain.screening import findings, screen
from quasar_core.errors import RejectionCode, Stage, SubmissionFault

C = RejectionCode

HONEST = {
    "__init__.py": (
        '"""QuasarAttention."""\n\n'
        "from .chunk import chunk_quasar\n\n"
        '__all__ = ["chunk_quasar"]\n'
    ),
    "chunk.py": '''"""Chunks: no stream, no thread, no exec, no os here."""

from __future__ import annotations

import functools
import math
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from einops import rearrange

from fla.ops.common.chunk_delta_h import chunk_gated_delta_rule_fwd_h
from fla.ops.quasar.gate import quasar_gate
from fla.ops.utils import prepare_chunk_indices, solve_tril
from fla.utils import autocast_custom_fwd, input_guard

from . import gate
from .gate import *

# The work runs on the current stream; see torch.cuda.Stream.
_workspaces: dict[tuple[int, ...], torch.Tensor] = {}


@dataclass(frozen=True)
class Tile:
    """A tile, compiled once: eval() happens elsewhere."""

    size: int = 64


@triton.autotune(
    configs=[
        triton.Config({"BS": size}, num_warps=warps, num_stages=2)
        for size in (32, 64)
        for warps in (2, 4)
    ],
    key=["T"],
)
@triton.jit(do_not_specialize=["T"])
def kernel(q, o, T, BS: tl.constexpr):
    i_t = tl.program_id(0) * BS + tl.arange(0, BS)
    b_q = tl.load(q + i_t, mask=i_t < T, other=0.0)
    b_o = tl.exp(b_q) + tl.math.exp2(b_q) - tl.math.log(b_q)
    tl.atomic_add(o + i_t, b_o, mask=i_t < T)
    tl.store(o + i_t, b_o, mask=i_t < T)


@functools.lru_cache(maxsize=8)
def workspace(shape: tuple[int, ...]) -> "torch.Tensor":
    return _workspaces.setdefault(shape, torch.empty(shape))


@torch.compile(dynamic=False)
def fused(x: Optional[torch.Tensor]) -> torch.Tensor:
    return F.silu(x) if x is not None else torch.zeros(1)


class ChunkQuasar(torch.autograd.Function):
    @staticmethod
    @input_guard
    @autocast_custom_fwd
    def forward(ctx, q, k, v, beta):
        ctx.save_for_backward(q, k, v, beta)
        ctx.scale = 1 / math.sqrt(q.shape[-1])
        chunks = torch.chunk(q, 2, dim=-1)
        torch.cuda.current_stream().synchronize()
        return rearrange(chunks[0], "b t h d -> b h t d").select(0, 0)

    @staticmethod
    def backward(ctx, do):
        q, k, v, beta = ctx.saved_tensors
        dq = getattr(q, "grad", None)
        return dq, k, v, beta


def chunk_quasar(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    beta: torch.Tensor,
    initial_state: torch.Tensor | None = None,
    output_final_state: bool = False,
    cu_seqlens: torch.LongTensor | None = None,
    **kwargs: typing.Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Runs it; raises ValueError where open sequences are passed."""
    if torch.__version__ < "2" or not hasattr(torch, "float8_e4m3fn"):
        raise ValueError(f"{torch.__version__} is too old")
    graph = torch.cuda.CUDAGraph()
    stream = torch.cuda.Stream()
    with torch.cuda.graph(graph, stream=stream):
        o = ChunkQuasar.apply(q, k, v, beta)
    dtype = torch.float32 if q.dtype == torch.float32 else torch.bfloat16
    x = quasar_gate(gate.quasar_gate(o, beta).to(dtype), beta)
    q = q.T
    return x.contiguous(), None
''',
    "gate.py": '''"""The gate."""

import torch


class Gate(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.time = self.code = self.platform = 1


def quasar_gate(x, beta):
    lam = (x * x).sum(-1)
    return -torch.expm1(-beta * lam) / (lam + 1e-8)
''',
}


def rejected(files):
    with pytest.raises(SubmissionFault) as caught:
        screen(files)
    assert caught.value.stage is Stage.SCREEN
    return caught.value


def with_line(line, file="chunk.py"):
    return {**HONEST, file: HONEST[file] + line + "\n"}


def test_an_honest_submission_passes():
    assert findings(HONEST) == ()
    screen(HONEST)
    screen({name: text.encode() for name, text in HONEST.items()})


@pytest.mark.parametrize(
    "line",
    [
        "# import os; stream; thread; exec",
        "x = 'subprocess and ctypes and fla.ops.gla'",
        "x = torch.cuda.Stream()",
        "x = torch.cuda.default_stream()",
        "x = tl.exp",
        "x = torch.compile(chunk_quasar)",
        "x = triton.testing.do_bench",
        "x = torch.jit.script",
        "import triton.language.extra.libdevice as libdevice",
        "from triton.tools.tensor_descriptor import TensorDescriptor",
        "from torch.utils.checkpoint import checkpoint",
        "x = torch.ops.aten.mm.default",
        "x = '\\d'",
        "print('RESULT: 1e12')",
        "raise SystemExit(0)",
    ],
)
def test_an_honest_look_alike_passes(line):
    screen(with_line(line))


B12 = [
    ("import fla.ops.gla", C.FORBIDDEN_IMPORT),
    ("import fla.ops.kda.chunk as c", C.FORBIDDEN_IMPORT),
    ("from fla.ops import gla", C.FORBIDDEN_IMPORT),
    ("from fla.ops import kda as k", C.FORBIDDEN_IMPORT),
    ("from fla.ops.gla import chunk_gla", C.FORBIDDEN_IMPORT),
    ("from fla.ops.kda.chunk import chunk_kda", C.FORBIDDEN_IMPORT),
    ("from fla.ops.delta_rule import chunk_delta_rule", C.FORBIDDEN_IMPORT),
    ("from fla.ops import *", C.FORBIDDEN_IMPORT),
    ("from ..gla import chunk_gla", C.FORBIDDEN_IMPORT),
    ("from .. import kda", C.FORBIDDEN_IMPORT),
    ("from ...ops.kda import chunk_kda", C.FORBIDDEN_IMPORT),
    ("import fla; fla.ops.gla.chunk_gla", C.FORBIDDEN_CALL),
    ("import fla.ops as o; o.kda.chunk_kda", C.FORBIDDEN_CALL),
    ("from fla import ops; ops.gla", C.FORBIDDEN_CALL),
    ("from fla import ops; getattr(ops, 'gla')", C.FORBIDDEN_CALL),
    ("from fla import ops; getattr(ops, 'g' + 'la')", C.FORBIDDEN_CALL),
    ("import fla; f = fla; g = f.ops.kda", C.FORBIDDEN_CALL),
    ("import importlib", C.FORBIDDEN_IMPORT),
    ("from importlib import import_module", C.FORBIDDEN_IMPORT),
    ("__import__('fla.ops.gla')", C.FORBIDDEN_CALL),
    ("torch.importlib.import_module('fla.ops.kda')", C.FORBIDDEN_CALL),
    ("torch.ops.import_module('fla.ops.kda')", C.FORBIDDEN_CALL),
    ("import fla_quasar", C.FORBIDDEN_IMPORT),
    (
        "from fla_quasar.ops.quasar import chunk_quasar as c",
        C.FORBIDDEN_IMPORT,
    ),
    ("import quasar_core.judge", C.FORBIDDEN_IMPORT),
    ("from fla.layers import quasar", C.FORBIDDEN_IMPORT),
    ("from fla.ops.utils.index import fla; fla", C.FORBIDDEN_IMPORT),
]

C4 = [
    ("import os", C.FORBIDDEN_IMPORT),
    ("import base64", C.FORBIDDEN_IMPORT),
    ("import marshal, zlib", C.FORBIDDEN_IMPORT),
    ("import pickle", C.FORBIDDEN_IMPORT),
    ("import ctypes", C.FORBIDDEN_IMPORT),
    ("import subprocess", C.FORBIDDEN_IMPORT),
    ("import socket", C.FORBIDDEN_IMPORT),
    ("import threading", C.FORBIDDEN_IMPORT),
    ("import numpy", C.FORBIDDEN_IMPORT),
    ("exec(bytes.fromhex('00'))", C.FORBIDDEN_CALL),
    ("eval('1')", C.FORBIDDEN_CALL),
    ("compile('1', 'x', 'eval')", C.FORBIDDEN_CALL),
    ("open('/proc/self/mem')", C.FORBIDDEN_CALL),
    ("import torch as t; t.os.system('x')", C.FORBIDDEN_CALL),
    ("from torch import os", C.FORBIDDEN_IMPORT),
    ("from torch.utils import cpp_extension", C.FORBIDDEN_IMPORT),
    ("from torch.utils.cpp_extension import load", C.FORBIDDEN_IMPORT),
    ("torch.utils.cpp_extension.load_inline(1)", C.FORBIDDEN_CALL),
    ("torch.ops.load_library('x.so')", C.FORBIDDEN_CALL),
    ("torch.classes.load_library('x.so')", C.FORBIDDEN_CALL),
    ("torch.load('x.pt')", C.FORBIDDEN_CALL),
    ("load = torch.load", C.FORBIDDEN_CALL),
    ("from torch import load", C.FORBIDDEN_IMPORT),
    ("torch.os", C.FORBIDDEN_CALL),
    ("typing.sys.modules", C.FORBIDDEN_CALL),
    ("math.__loader__", C.FORBIDDEN_CALL),
    ("getattr(torch, 'os')", C.FORBIDDEN_CALL),
    ("getattr(torch, 'o' + 's')", C.FORBIDDEN_CALL),
    ("gate.torch.load('x')", C.FORBIDDEN_CALL),
    ("from .gate import torch as g; g.load('x')", C.FORBIDDEN_CALL),
    ("tl.inline_asm_elementwise('', '', [], 1, 1, 1)", C.FORBIDDEN_CALL),
    (
        "from triton.language import inline_asm_elementwise",
        C.FORBIDDEN_IMPORT,
    ),
    ("triton.runtime.driver.active", C.FORBIDDEN_CALL),
    ("from triton.runtime import driver", C.FORBIDDEN_IMPORT),
    ("from triton.compiler import compile as c", C.FORBIDDEN_IMPORT),
    ("chunk_quasar.__globals__", C.FORBIDDEN_CALL),
    ("[c for c in ().__class__.__mro__]", C.FORBIDDEN_CALL),
    ("enum = __import__('enum')", C.FORBIDDEN_CALL),
]


@pytest.mark.parametrize("file", ["chunk.py", "__init__.py"])
@pytest.mark.parametrize(("line", "code"), B12)
def test_b12_somebody_elses_kernel_is_out_of_reach(line, code, file):
    prelude = "" if file == "chunk.py" else "import torch\n"
    fault = rejected(with_line(prelude + line, file))
    assert fault.code is code
    assert fault.evidence["file"] == file
    assert (
        fault.evidence["line"]
        == (HONEST[file] + prelude + line).count("\n") + 1
    )


@pytest.mark.parametrize(("line", "code"), C4)
def test_c4_code_is_not_hidden(line, code):
    fault = rejected(with_line(line))
    assert fault.code is code
    assert fault.evidence["line"] == HONEST["chunk.py"].count("\n") + 1
    assert fault.evidence["rule"]
    assert "chunk.py:" in fault.detail


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xef\xbb\xbfx = 1\n", C.NOT_TEXT),
        (b"x = 1\0\n", C.NOT_TEXT),
        (b"#\rimport os\n", C.NOT_TEXT),
        (b"# coding: utf-7\n+AGkAbQBwAG8AcgB0-\n", C.NOT_TEXT),
        (b"# coding: unicode_escape\n", C.NOT_TEXT),
        (b"\x80\n", C.NOT_TEXT),
        (b"(" * 100_000, C.SYNTAX_ERROR),
        (b"-" * 200_000 + b"1", C.SYNTAX_ERROR),
        (b"x" + b".a" * 100_000, C.SYNTAX_ERROR),
        (b"if:", C.SYNTAX_ERROR),
        (b"#" * (256 * 1024 + 1), C.TOO_LARGE),
    ],
    ids=range(11),
)
def test_hostile_bytes_are_rejected_and_nothing_worse(content, code):
    assert rejected({**HONEST, "aaa.py": content}).code is code


def test_more_syntax_than_a_megabyte_of_code_has_is_too_large(monkeypatch):
    monkeypatch.setattr(screening, "MAX_NODES", 3_000)
    screen(HONEST)
    fault = rejected({**HONEST, "a.py": "x;" * 1_000})
    assert fault.code is C.TOO_LARGE
    assert fault.evidence["rule"] == "nodes"


def test_text_that_is_no_unicode_is_not_text():
    assert rejected({**HONEST, "a.py": "x = '\ud800'"}).code is C.NOT_TEXT


def test_no_files_are_missing_files():
    assert rejected({}).code is C.FILES_MISSING


@pytest.mark.parametrize(
    "files",
    [
        {"chunk.py": HONEST["chunk.py"], "gate.py": HONEST["gate.py"]},
        {**HONEST, "__init__.py": ""},
        {**HONEST, "__init__.py": "from .chunk import fused\n"},
        {**HONEST, "__init__.py": "def f():\n    chunk_quasar = 1\n"},
    ],
)
def test_a_package_must_export_its_entry_point(files):
    fault = rejected(files)
    assert fault.code is C.MISSING_ENTRY_POINT
    assert fault.evidence["file"] == "__init__.py"


def test_a_star_import_exports_the_entry_point():
    screen({**HONEST, "__init__.py": "from .chunk import *\n"})


def test_the_first_finding_by_file_and_line_is_told():
    files = {
        **HONEST,
        "a.py": "x = 1\nimport sys\n",
        "b.py": "import os\n",
        "gate.py": "eval('1')\n",
    }
    fault = rejected(files)
    assert (fault.evidence["file"], fault.evidence["line"]) == ("a.py", 2)
    assert [one.file for one in findings(files)] == ["a.py", "b.py", "gate.py"]


names = st.sampled_from(["torch", "t", "os", "exec", "x", "getattr", "gate"])
lines = st.one_of(
    st.builds("import {} as {}".format, names, names),
    st.builds("from {} import {}".format, names, names),
    st.builds("from .{} import *".format, names),
    st.builds("{} = {}.{}".format, names, names, names),
    st.builds("{}({}, '{}')".format, names, names, names),
    st.builds("class {}:\n    {} = {}".format, names, names, names),
    st.builds("def {}({}: '{}()'): return {}".format, *[names] * 4),
)


@given(st.lists(lines, max_size=6), st.lists(lines, max_size=6))
@settings(max_examples=150)
def test_any_program_has_a_verdict(one, other):
    files = {"x.py": "\n".join(one), "gate.py": "\n".join(other)}
    assert findings(files) == findings(dict(reversed(files.items())))
    fault = rejected(files)
    assert fault.code in {
        C.FORBIDDEN_IMPORT,
        C.FORBIDDEN_CALL,
        C.MISSING_ENTRY_POINT,
    }
    assert set(fault.evidence) >= {"file", "line", "rule"}
