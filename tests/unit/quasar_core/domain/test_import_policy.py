"""The import policy: what dotted paths may be reached."""

import importlib
import sys
import types

import pytest
from quasar_core.domain.import_policy import (
    attribute_rule,
    import_rule,
    path_rule,
)
from quasar_core.domain.import_tables import ALLOWED, MODULES, REFUSED

HONEST = [
    "torch",
    "torch.chunk",
    "torch.dist",
    "torch.select",
    "torch.trace",
    "torch.types.Device",
    "torch.random.fork_rng",
    "torch.cuda.random.seed",
    "torch.Tensor",
    "torch.Tensor.chunk",
    "torch.nn.functional.pad",
    "torch.compile",
    "torch.compiler.disable",
    "torch.cuda.Stream",
    "torch.cuda.CUDAGraph",
    "torch.cuda.graph",
    "torch.jit.script",
    "torch.library.triton_op",
    "torch.ops.aten.select.int",
    "torch.ops.aten.copy_",
    "torch.backends.cuda.matmul.allow_tf32",
    "torch.utils.checkpoint.checkpoint",
    "torch._scaled_mm",
    "torch._foreach_mul_",
    "torch.__version__",
    "triton.jit",
    "triton.autotune",
    "triton.Config",
    "triton.cdiv",
    "triton.language.exp",
    "triton.language.math.exp2",
    "triton.language.extra.libdevice.exp",
    "triton.language.extra.cuda.libdevice.exp",
    "triton.runtime.autotuner.Autotuner",
    "triton.tools.tensor_descriptor.TensorDescriptor",
    "triton.testing.do_bench",
    "triton.knobs.runtime.interpret",
    "math.ceil",
    "typing.TYPE_CHECKING",
    "typing.collections",
    "collections.abc.Callable",
    "functools.lru_cache",
    "dataclasses.dataclass",
    "contextlib.nullcontext",
    "einops.rearrange",
    "warnings.warn",
    "fla.utils.input_guard",
    "fla.ops.utils.index.prepare_chunk_indices",
    "fla.ops.common.chunk_delta_h.chunk_gated_delta_rule_fwd_h",
    "fla.ops.utils.index.torch.empty",
    "fla.ops.utils.index.tl.exp",
    "fla.ops.quasar.chunk.chunk_quasar",
    "fla.ops.quasar",
]

REFUSALS = {
    "torch.os": "dangerous_attribute",
    "torch.os.system": "dangerous_attribute",
    "torch.sys.modules": "dangerous_attribute",
    "torch.platform": "standard_module",
    "torch.glob.glob": "standard_module",
    "torch.load": "not_allowed",
    "torch.save": "not_allowed",
    "torch.from_file": "not_allowed",
    "torch.hub.load": "not_allowed",
    "torch.utils.cpp_extension.load_inline": "not_allowed",
    "torch.utils.cpp_extension": "not_allowed",
    "torch.utils.data.DataLoader": "not_allowed",
    "torch.utils.benchmark.Timer": "not_allowed",
    "torch.multiprocessing.spawn": "not_allowed",
    "torch.distributed": "not_allowed",
    "torch.classes.load_library": "not_allowed",
    "torch.nn.functional.np.load": "not_allowed",
    "torch.nn.parallel.distributed.dist.rpc": "not_allowed",
    "torch.cpp.nn": "not_allowed",
    "triton.language.core.knobs.cache": "not_allowed",
    "triton.language.core.ir.builder": "private_name",
    "torch.ops.load_library": "not_allowed",
    "torch.ops.import_module": "not_allowed",
    "torch.jit.load": "not_allowed",
    "torch.jit.CompilationUnit": "not_allowed",
    "torch.cuda.jiterator._create_jit_fn": "not_allowed",
    "torch.cuda._compile_kernel": "private_name",
    "torch.cuda.memory.CUDAPluggableAllocator": "not_allowed",
    "torch.cuda.CUDAPluggableAllocator": "not_allowed",
    "torch.UntypedStorage.from_file": "dangerous_attribute",
    "torch._C": "private_name",
    "torch._inductor.config": "private_name",
    "torch.__builtins__": "dunder",
    "torch.fx.GraphModule": "not_allowed",
    "torch.package.PackageImporter": "not_allowed",
    "triton.runtime.driver.active": "not_allowed",
    "triton.runtime.JITFunction": "not_allowed",
    "triton.runtime.autotuner.builtins.exec": "dangerous_attribute",
    "triton.compile": "not_allowed",
    "triton.compiler.compile": "not_allowed",
    "triton.backends": "not_allowed",
    "triton.knobs.cache.dir": "not_allowed",
    "triton.knobs": "not_allowed",
    "triton.tools.compile": "not_allowed",
    "triton.testing.os": "not_allowed",
    "triton.testing.subprocess": "not_allowed",
    "triton.language.inline_asm_elementwise": "dangerous_attribute",
    "triton.language.core.extern_elementwise": "dangerous_attribute",
    "triton._C.libtriton": "private_name",
    "typing.sys.modules": "dangerous_attribute",
    "typing.types.CodeType": "standard_module",
    "typing.get_type_hints": "not_allowed",
    "typing.ForwardRef": "not_allowed",
    "typing.operator.attrgetter": "standard_module",
    "typing.collections._sys": "dangerous_attribute",
    "enum.bltns.exec": "dangerous_attribute",
    "contextlib.os": "dangerous_attribute",
    "dataclasses.builtins": "dangerous_attribute",
    "dataclasses.make_dataclass": "not_allowed",
    "functools.singledispatch": "not_allowed",
    "einops._backends": "private_name",
    "fla": "not_allowed",
    "fla.ops": "not_allowed",
    "fla.ops.gla": "not_allowed",
    "fla.ops.gla.chunk_gla": "not_allowed",
    "fla.ops.kda": "not_allowed",
    "fla.ops.kda.chunk_kda": "not_allowed",
    "fla.ops.delta_rule.chunk_delta_rule": "not_allowed",
    "fla.ops.quasar_fast": "not_allowed",
    "fla.ops.utilities": "not_allowed",
    "fla.ops.cp": "not_allowed",
    "fla.layers.quasar": "not_allowed",
    "fla.modules": "not_allowed",
    "fla.backends": "not_allowed",
    "fla.utils.env.os.environ": "dangerous_attribute",
    "fla.ops.utils.index.torch.load": "not_allowed",
    "fla.ops.utils.op.tl.inline_asm_elementwise": "dangerous_attribute",
    "fla.utils.fla.ops.gla": "not_allowed",
    "fla_quasar.ops.quasar": "not_allowed",
    "quasar_core.judge": "not_allowed",
    "torchvision": "not_allowed",
    "torch_os": "not_allowed",
    "numpy": "not_allowed",
    "os": "not_allowed",
    "importlib": "not_allowed",
    "ctypes": "not_allowed",
    "threading": "not_allowed",
    "pickle": "not_allowed",
    "base64": "not_allowed",
    "builtins": "not_allowed",
    "": "not_allowed",
}


@pytest.mark.parametrize("path", HONEST)
def test_what_kernels_need_may_be_reached(path):
    assert path_rule(path) is None
    assert import_rule(path) is None


@pytest.mark.parametrize(("path", "rule"), REFUSALS.items())
def test_what_leads_out_may_not(path, rule):
    assert path_rule(path) == rule


@pytest.mark.parametrize(
    "path", ["fla", "fla.ops", "torch.utils", "triton.knobs", "triton.runtime"]
)
def test_a_package_is_imported_only_for_what_is_allowed_in_it(path):
    assert import_rule(path) is None
    assert path_rule(path) == "not_allowed"


@pytest.mark.parametrize(
    "path",
    [
        "fla.ops.quasar.__builtins__",
        "fla.ops.quasar.chunk.__loader__",
        "fla.ops.quasar.__init__.torch",
    ],
)
def test_an_internal_of_ones_own_files_is_no_import(path):
    assert import_rule(path) == "dunder"


def test_a_name_alone_may_be_refused():
    assert attribute_rule("__globals__") == "dunder"
    assert attribute_rule("ctypes") == "dangerous_attribute"
    assert attribute_rule("f_back") == "dangerous_attribute"
    for name in ("__init__", "__x", "x__", "____", "shape", "time", "load"):
        assert attribute_rule(name) is None


def test_no_path_is_both_allowed_and_refused():
    assert not ALLOWED & REFUSED
    assert all(path_rule(path) is None for path in ALLOWED)
    assert all(path_rule(path) is not None for path in REFUSED)
    assert {"torch", "triton", "fla.ops.utils"} <= MODULES


@pytest.mark.parametrize(
    "name",
    [
        "abc",
        "collections",
        "contextlib",
        "dataclasses",
        "enum",
        "functools",
        "itertools",
        "math",
        "typing",
        "warnings",
    ],
)
def test_no_allowed_standard_module_leads_to_one_that_is_not(name):
    module = importlib.import_module(name)
    for attribute, value in vars(module).items():
        if isinstance(value, types.ModuleType):
            allowed = value.__name__ in ALLOWED or (
                value.__name__ == "collections.abc"
            )
            assert allowed or path_rule(f"{name}.{attribute}") is not None


def test_every_standard_module_but_the_harmless_is_refused():
    allowed = {name for name in sys.stdlib_module_names if name in ALLOWED}
    for name in sys.stdlib_module_names - allowed:
        assert import_rule(name) == "not_allowed"
    assert allowed == {
        "__future__",
        "abc",
        "collections",
        "contextlib",
        "dataclasses",
        "enum",
        "functools",
        "itertools",
        "math",
        "typing",
        "warnings",
    }
