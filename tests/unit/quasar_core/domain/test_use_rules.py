"""Use rules: names, attributes and calls, allowed or named."""

import pytest
from quasar_core.domain.aliases import Aliases
from quasar_core.domain.syntax import parse
from quasar_core.domain.use_rules import use_findings
from quasar_core.errors import RejectionCode


def rules(text):
    syntax = parse("a.py", text.encode())
    findings = list(use_findings("a.py", syntax, Aliases({"a.py": syntax})))
    assert all(one.code is RejectionCode.FORBIDDEN_CALL for one in findings)
    return {one.rule for one in findings}


TORCH = "import torch\n"
DATA = "import dataclasses\nfrom dataclasses import dataclass\n"


@pytest.mark.parametrize(
    "text",
    [
        "x = y.os_count",
        "def f(input, *, format): return input",
        "super().__init__()",
        "if __name__ == '__main__': pass",
        "__all__ = ['f']",
        "model.eval()",
        "re.compile('x')",
        "x.open()",
        "x = getattr(y, 'shape', None)",
        "setattr(ctx, 'shape', 1)",
        "x = hasattr(y, name)",
        "t = type(x)",
        TORCH + "x = torch.compile(f)",
        TORCH + "x = getattr(torch, 'float8_e4m3fn', None)",
        TORCH + "x = hasattr(torch, 'xpu')",
        TORCH + "t = torch\nu: object = torch",
        TORCH + "def f(torch): g(torch)",
        "import torch.nn.functional as F\ndef f():\n    F = 1\n    g(F)",
        "from fla import ops\nlambda ops: ops.gla",
        "from fla import ops\ndef f(*ops, **o): return ops.gla",
        TORCH + "class A(torch.autograd.Function): pass",
        TORCH + "class A:\n    dtype = torch.float32\n    x: int",
        TORCH + "def f(x: 'torch.Tensor') -> 'torch.Tensor | None': ...",
        TORCH + "async def f(x: 'b t h d') -> 'int': ...",
        "x: 'Literal[\"exec\"]' = 1",
        "match x:\n    case Point(y=0): pass",
        "match x:\n    case {'os': 1}: pass",
        "from triton import knobs\nx = knobs.runtime.interpret",
        DATA + "@dataclass\nclass A:\n    x: int = 1",
        DATA + "@f\n@dataclasses.dataclass(frozen=True)\nclass A: ...",
        DATA + "x = dataclasses.replace(y, z=1)",
        "def dataclass(x): return x\ny = dataclass(1)",
        "import fla\nx = fla.ops.utils.cumsum",
        "del x.y",
        "f(open=1, exec=2)",
        "'exec(1)'",
        "def f():\n    'import os; os.system(1)'",
    ],
)
def test_honest_uses_are_allowed(text):
    assert rules(text) == set()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("eval('1')", "forbidden_name"),
        ("e = exec", "forbidden_name"),
        ("@exec\ndef f(): ...", "forbidden_name"),
        ("\uff45xec('1')", "forbidden_name"),
        ("compile('1', '', 'exec')", "forbidden_name"),
        ("f(open)", "forbidden_name"),
        ("vars(x)['os']", "forbidden_name"),
        ("globals()", "forbidden_name"),
        ("locals()", "forbidden_name"),
        ("breakpoint()", "forbidden_name"),
        ("__import__('os')", "dunder"),
        ("__builtins__['exec']", "dunder"),
        ("__builtins__ = {}", "dunder"),
        ("class A:\n    __match_args__ = ('os',)", "dunder"),
        ("f.__globals__", "dunder"),
        ("().__class__.__base__.__subclasses__()", "dunder"),
        ("f.__code__ = g", "dunder"),
        ("x.__dict__['os']", "dunder"),
        ("getattr(x, '__globals__')", "dunder"),
        ("match x:\n    case object(__class__=y): pass", "dunder"),
        ("match x:\n    case object(os=y): pass", "dangerous_attribute"),
        ("(lambda m: m.os)(x)", "dangerous_attribute"),
        ("x[0].subprocess.run", "dangerous_attribute"),
        ("getattr(x, 'os')", "dangerous_attribute"),
        ("f().gi_frame.f_back", "dangerous_attribute"),
        ("e.tb_frame", "dangerous_attribute"),
        ("t.numpy().tofile('x')", "dangerous_attribute"),
        ("getattr(x, 'o' + 's')", "computed_attribute"),
        ("getattr(x, 'so'[::-1])", "computed_attribute"),
        ("getattr(x, f'{a}')", "computed_attribute"),
        ("getattr(x, name)", "computed_attribute"),
        ("getattr(*x)", "computed_attribute"),
        ("getattr(x)", "computed_attribute"),
        ("getattr(x, b'os')", "computed_attribute"),
        ("setattr(x, name, 1)", "computed_attribute"),
        ("delattr(x, name)", "computed_attribute"),
        ("g = getattr", "computed_attribute"),
        ("map(getattr, x, y)", "computed_attribute"),
        ("type('A', (), {})", "type_call"),
        ("type(*x, **y)", "type_call"),
        ("def f(x: 'exec(1)'): ...", "call_in_annotation"),
        ("def f(*, x: List['(lambda: 1)']): ...", "call_in_annotation"),
        ("def f() -> 'f()': ...", "call_in_annotation"),
        ("async def f() -> 'f()': ...", "call_in_annotation"),
        ("x: '[y for y in z]'", "call_in_annotation"),
        ("x: ' (y := 1)'", "call_in_annotation"),
        (TORCH + "torch.load('x')", "not_allowed"),
        (TORCH + "t = torch\nt.load('x')", "not_allowed"),
        (TORCH + "getattr(torch, 'load')('x')", "not_allowed"),
        (TORCH + "@torch.load\ndef f(): ...", "not_allowed"),
        (TORCH + "torch.platform", "standard_module"),
        (TORCH + "torch._C._x", "private_name"),
        ("import fla.ops\nfla.ops.gla.chunk_gla", "not_allowed"),
        ("from fla import ops\nops.kda", "not_allowed"),
        ("from fla import ops\nx = ops", "not_allowed"),
        ("from triton import knobs\nknobs.cache.dir", "not_allowed"),
        ("import triton as t\nt.runtime.driver.active", "not_allowed"),
        (TORCH + "f(torch)", "module_as_value"),
        (TORCH + "x = [torch]", "module_as_value"),
        (TORCH + "a, b = torch, 1", "module_as_value"),
        (TORCH + "self.t = torch", "module_as_value"),
        (TORCH + "(t := torch)", "module_as_value"),
        (TORCH + "def f(t=torch): ...", "module_as_value"),
        (TORCH + "def f(): return torch", "module_as_value"),
        (TORCH + "x = lambda: torch", "module_as_value"),
        (TORCH + "f(torch.nn.functional)", "module_as_value"),
        (TORCH + "for t in torch, 1: ...", "module_as_value"),
        (TORCH + "x = torch if y else z", "module_as_value"),
        (TORCH + "match torch:\n    case t: ...", "module_as_value"),
        (TORCH + "with f(torch) as t: ...", "module_as_value"),
        (TORCH + "class A:\n    t = torch", "module_as_value"),
        (TORCH + "class A:\n    t: object = torch", "module_as_value"),
        (TORCH + "setattr(x, 'y', torch)", "module_as_value"),
        (TORCH + "x = f'{torch}'", "module_as_value"),
        (TORCH + "a = torch\na = b.x\nb = a.y\na", "tangled_names"),
    ],
)
def test_others_break_a_rule(text, rule):
    assert rule in rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "@dataclass\nclass A(metaclass=M): ...",
        "@dataclass\nclass A(B): ...",
        "@dataclass\n@other\nclass A: ...",
        "@dataclass(A)\nclass B: ...",
        "@dataclasses.dataclass(*a)\nclass B: ...",
        "A = dataclass(A)",
        "A = dataclasses.dataclass(init=False)(A)",
        "d = dataclass",
        "f(dataclass)",
        "A = getattr(dataclasses, 'dataclass')(A)",
        "@dataclass\ndef f(): ...",
    ],
)
def test_a_dataclass_gets_its_names_from_a_class_statement_alone(text):
    assert rules(DATA + text) == {"dataclass_use"}
