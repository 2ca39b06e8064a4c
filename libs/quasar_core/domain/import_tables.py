"""The tables of the import policy: what a kernel may reach, and what not.

ALLOWED and REFUSED are read by dotted path: the longest entry that begins
a path decides about it, so a refusal may have exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PACKAGE = "fla.ops.quasar"
"""Where a submission's files lie; what they define is their own."""

ALLOWED = frozenset(
    {
        "torch",
        "triton",
        "einops",
        "math",
        "typing",
        # Harmless, and at home in ordinary kernels.
        "__future__",
        "abc",
        "collections",
        "contextlib",
        "dataclasses",
        "enum",
        "functools",
        "itertools",
        "warnings",
        # Of the pinned tree below a submission.
        "fla.utils",
        "fla.ops.utils",
        "fla.ops.common",
        PACKAGE,
        # Exceptions from the refusals below. torch.compile needs none: it
        # generates the Triton that a miner could have written, inside the
        # same sandbox and before the same comparison.
        "torch.utils.checkpoint",
        "triton.knobs.runtime.interpret",
        "triton.runtime.autotuner",
        "triton.runtime.Autotuner",
        "triton.runtime.Config",
        "triton.tools.tensor_descriptor",
        "triton.testing.assert_close",
        "triton.testing.do_bench",
        "triton.testing.do_bench_cudagraph",
    }
)

REFUSED = frozenset(
    {
        # They read or write files, load libraries or unpickle.
        "torch.load",
        "torch.save",
        "torch.from_file",
        "torch.classes",
        "torch.compiler.load_cache_artifacts",
        "torch.compiler.save_cache_artifacts",
        "torch.hub",
        "torch.package",
        "torch.serialization",
        "torch.storage",
        "torch.ops.import_module",
        "torch.ops.load_library",
        "torch.ops.loaded_libraries",
        "torch.jit.CompilationUnit",
        "torch.jit.jit_module_from_flatbuffer",
        "torch.jit.load",
        "torch.jit.save",
        "torch.jit.save_jit_module_to_flatbuffer",
        "torch.cuda.gds",
        "torch.cuda.tunable",
        # They compile text, or start compilers on it.
        "torch.cuda.jiterator",
        "torch.fx",
        "torch.utils",
        "triton.backends",
        "triton.compile",
        "triton.compiler",
        "triton.knobs",
        "triton.runtime",
        "triton.tools",
        "typing.ForwardRef",
        "typing.evaluate_forward_ref",
        "typing.get_type_hints",
        "typing.stdlib_re",
        "dataclasses.make_dataclass",
        "functools.singledispatch",
        "functools.singledispatchmethod",
        # They start processes or threads, or reach other machines.
        "torch.backends.xeon",
        "torch.distributed",
        "torch.futures",
        "torch.jit.fork",
        "torch.monitor",
        "torch.multiprocessing",
        "triton.testing",
        # They load the device's allocator or another's code.
        "torch.cuda.CUDAPluggableAllocator",
        "torch.cuda.change_current_allocator",
        "torch.cuda.memory.CUDAPluggableAllocator",
        "torch.cuda.memory.change_current_allocator",
        # They observe or rebuild programs, which no kernel has to.
        "torch.ao",
        "torch.autograd.profiler",
        "torch.contrib",
        "torch.cpp",
        "torch.export",
        "torch.nativert",
        "torch.nn.parallel",
        "torch.nn.quantized",
        "torch.onnx",
        "torch.profiler",
        "torch.testing",
        "triton.profiler",
    }
)

KNOWN_AS: Mapping[str, str] = MappingProxyType(
    {
        "fla.utils.device_torch_lib": "torch.cuda",
        "fla.utils.hardware.device_torch_lib": "torch.cuda",
    }
)
"""Names of the pinned tree that stand for a module."""

LIBRARIES_CALL_IT: Mapping[str, str] = MappingProxyType(
    {
        "gluon_ir": "triton._C.libtriton.gluon_ir",
        "ir": "triton._C.libtriton.ir",
        "knobs": "triton.knobs",
        "np": "numpy",
        "tl": "triton.language",
    }
)
"""Under which names libraries import what is judged as itself again."""

MODULES = frozenset(
    {path for path in ALLOWED if path.islower()}
    | {
        "fla",
        "fla.ops",
        "torch.backends",
        "torch.cuda",
        "torch.jit",
        "torch.library",
        "torch.nn",
        "torch.nn.functional",
        "torch.ops",
        "triton.language",
    }
) - {
    "torch.utils.checkpoint",
    "triton.knobs.runtime.interpret",
    "triton.testing.assert_close",
    "triton.testing.do_bench",
    "triton.testing.do_bench_cudagraph",
}
"""Modules that may be named, but not passed about as values."""

PACKAGES = frozenset(
    ".".join(parts[:end])
    for parts in (path.split(".") for path in ALLOWED)
    for end in range(1, len(parts))
)
"""Imported only to reach what is allowed inside them."""

PUBLIC_UNDERSCORES = frozenset(
    {
        "_addmm_activation",
        "_assert",
        "_check",
        "_grouped_mm",
        "_int_mm",
        "_scaled_grouped_mm",
        "_scaled_mm",
    }
)
"""Operators of torch that have no public name yet."""

OWN_MEANING = frozenset(
    {
        "torch.chunk",
        "torch.cuda.random",
        "torch.random",
        "torch.select",
        "torch.signal",
        "torch.trace",
        "torch.types",
        "torch.Tensor.chunk",
        "torch.Tensor.select",
        "torch.Tensor.trace",
        "triton.language.math",
        "triton.language.random",
    }
)
"""Paths that end like a standard module and are something else."""

ORDINARY_WORDS = frozenset(
    {
        "array",
        "calendar",
        "cmath",
        "chunk",
        "cmd",
        "code",
        "copy",
        "numbers",
        "profile",
        "queue",
        "stat",
        "statistics",
        "string",
        "symbol",
        "test",
        "this",
        "time",
        "token",
        "trace",
    }
)
"""Standard modules whose names are attributes of honest objects."""
