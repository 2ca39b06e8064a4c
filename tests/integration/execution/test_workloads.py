"""What kernels need must work inside: torch, Triton, and a C compiler."""

import importlib.util
import json
from dataclasses import replace

import pytest
from quasar_core.execution.closure import JUDGED
from quasar_core.execution.limits import MIB
from quasar_core.execution.sandbox import Ending

from tests.support.sandboxes import SMALL, python_job, sandbox_in

ROOMY = replace(
    SMALL, wall_seconds=120, memory_bytes=4096 * MIB, tmp_bytes=256 * MIB
)
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed"
)


def answer(directory, program):
    job = python_job(
        program,
        limits=ROOMY,
        distributions=JUDGED,
        environment={"OMP_NUM_THREADS": "1"},
    )
    outcome = sandbox_in(directory).start(job).wait()
    assert outcome.ending is Ending.OK, outcome.stderr.decode()
    return json.loads(outcome.stdout)


def test_torch_computes_and_compiles_nothing_of_the_host_in(tmp_path):
    told = answer(
        tmp_path,
        """
        import json, torch
        from concurrent.futures import ThreadPoolExecutor
        a = torch.arange(64, dtype=torch.float64).reshape(8, 8)
        q = torch.linalg.solve(a + 100 * torch.eye(8, dtype=a.dtype), a)
        with ThreadPoolExecutor(4) as pool:
            sums = list(pool.map(lambda _: float(a.sum()), range(4)))
        print(json.dumps([torch.__file__, sums, bool(q.isfinite().all())]))
        """,
    )
    assert told == ["/opt/site/torch/__init__.py", [2016.0] * 4, True]


def test_triton_interprets_and_compiles_for_a_device(tmp_path):
    told = answer(
        tmp_path,
        """
        import json, os
        from pathlib import Path
        os.makedirs("/tmp/k")
        source = '''
        import triton, triton.language as tl
        @triton.jit
        def double(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
            offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
            mask = offsets < n
            tl.store(y_ptr + offsets,
                     2 * tl.load(x_ptr + offsets, mask), mask)
        '''
        Path("/tmp/k/kernels.py").write_text(source)
        import sys
        sys.path.insert(0, "/tmp/k")
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource, compile
        import kernels
        made = compile(
            ASTSource(kernels.double,
                      {"x_ptr": "*fp32", "y_ptr": "*fp32", "n": "i32",
                       "BLOCK": "constexpr"},
                      {"BLOCK": 64}),
            target=GPUTarget("cuda", 90, 32))
        assert made.asm["ptx"] and made.asm["cubin"]
        import subprocess
        os.environ["TRITON_INTERPRET"] = "1"
        text = '''
        import torch, kernels
        x = torch.arange(100.0)
        y = torch.empty_like(x)
        kernels.double[(2,)](x, y, 100, BLOCK=64)
        print(bool((y == 2 * x).all()))
        '''
        interpreted = subprocess.run(
            [sys.executable, "-c",
             "import sys; sys.path.insert(0, '/tmp/k')\\n" + text],
            capture_output=True, text=True, check=True)
        print(json.dumps([interpreted.stdout, "cubin" in made.asm]))
        """,
    )
    assert told == ["True\n", True]


def test_a_c_compiler_finds_the_headers_of_python(tmp_path):
    told = answer(
        tmp_path,
        """
        import json, subprocess, sys, sysconfig
        from pathlib import Path
        Path("/tmp/answer.c").write_text('''
        #include <Python.h>
        static PyObject *get(PyObject *m, PyObject *a)
        { return PyLong_FromLong(42); }
        static PyMethodDef methods[] =
        {{"get", get, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
        static struct PyModuleDef module =
        {PyModuleDef_HEAD_INIT, "answer", "", -1, methods};
        PyMODINIT_FUNC PyInit_answer(void)
        { return PyModule_Create(&module); }
        ''')
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-o", "/tmp/answer.so",
             "/tmp/answer.c", "-I" + sysconfig.get_path("include")],
            check=True)
        sys.path.insert(0, "/tmp")
        import answer
        print(json.dumps(answer.get()))
        """,
    )
    assert told == 42
