"""Scopes: the binding that an expression means, as Python has it."""

import ast
import builtins
import symtable

import pytest
from quasar_core.domain.scopes import Scopes


def path_of_use(text):
    """The path of the one `t` that is asked for its attribute `use`."""
    tree = ast.parse(text)
    uses = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "use"
    ]
    assert len(uses) == 1
    assert isinstance(uses[0], ast.Name)
    return Scopes("m", tree).path_of(uses[0], uses[0].id)


OUTER = [
    "t.use",
    "t = 1\ndef f():\n    return t.use",
    "def f(t): pass\nt.use",
    "def f(x=t.use, *, t=1): pass",
    "def f(t, *, x=t.use): pass",
    "def f(t: t.use): pass",
    "def f(t) -> t.use: pass",
    "@t.use\ndef f(t): pass",
    "@t.use\nclass t: pass",
    "class A(t.use):\n    t = 1",
    "class A(metaclass=t.use):\n    t = 1",
    "lambda x=t.use: t",
    "def f():\n    global t\n    t = 1\n    t.use",
    "def f():\n    global t\n    def g():\n        return t.use",
    "def f():\n    class A:\n        t = 1\n    return t.use",
    "def f():\n    class A:\n        def t(self): pass\n    return t.use",
    "def f():\n    class A:\n        class t: pass\n    return t.use",
    "def f():\n    class A:\n        import t\n    return t.use",
    "def f():\n  class A:\n    try: pass\n    except E as t: pass\n  t.use",
    "def f():\n    [t for t in x]\n    return t.use",
    "def f():\n    def g(t): pass\n    return t.use",
    "def f():\n    lambda t: 1\n    return t.use",
    "class A:\n    t = 1\n    def f(self):\n        return t.use",
]

LOCAL = [
    "def f(t): return t.use",
    "def f(t, /): return t.use",
    "def f(*, t): return t.use",
    "def f(*t): return t.use",
    "def f(**t): return t.use",
    "async def f(t): return t.use",
    "lambda t: t.use",
    "def f():\n    t.use\n    t = 1",
    "def f():\n    t.use\n    t: int = 1",
    "def f():\n    for t in x: t.use",
    "def f():\n    with x as t: t.use",
    "def f():\n    import t\n    t.use",
    "def f():\n    import t.x\n    t.use",
    "def f():\n    from x import y as t\n    t.use",
    "def f():\n    def t(): pass\n    t.use",
    "def f():\n    class t: pass\n    t.use",
    "def f():\n    try: pass\n    except E as t: t.use",
    "def f():\n    match x:\n        case t: t.use",
    "def f():\n    [(t := y) for y in x]\n    t.use",
    "def f():\n    del t\n    t.use",
    "def f(t):\n    def g():\n        return t.use",
    "def f(t):\n    return [t.use for y in x]",
    "def f():\n  t = 1\n  def g():\n    nonlocal t\n    t = 2\n    t.use",
]


@pytest.mark.parametrize("text", OUTER)
def test_a_name_of_the_module(text):
    assert path_of_use(text) == "m.t"


@pytest.mark.parametrize("text", LOCAL)
def test_a_name_of_a_function(text):
    assert path_of_use(text).startswith("m.<")
    assert path_of_use(text).endswith(">.t")


def test_two_functions_have_two_scopes():
    tree = ast.parse("def f(t): t\ndef g(t): t\n")
    scopes = Scopes("m", tree)
    paths = {
        scopes.path_of(node, "t")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
    }
    assert len(paths) == 2


def asks_locally(table):
    """Whether Python takes some `t` in this block for a function's own."""
    return any(
        symbol.get_name() == "t"
        and symbol.is_referenced()
        and (symbol.is_local() or symbol.is_free())
        and block.get_type() == "function"
        for block in blocks(table)
        for symbol in block.get_symbols()
    )


def blocks(table):
    yield table
    for child in table.get_children():
        yield from blocks(child)


@pytest.mark.parametrize("text", LOCAL)
def test_python_itself_takes_the_local_ones_for_local(text):
    assert asks_locally(symtable.symtable(text, "m", "exec"))
    assert not hasattr(builtins, "t")
