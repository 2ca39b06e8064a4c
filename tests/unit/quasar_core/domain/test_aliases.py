"""Aliases: everything that a name could stand for."""

import ast

import pytest
from quasar_core.domain import aliases
from quasar_core.domain.aliases import (
    Aliases,
    TangledNames,
    chain_of,
    module_of,
)
from quasar_core.domain.syntax import parse


def last_of(question):
    known, name, attributes = question
    return set(known.meanings("a.py", name, attributes))


def asked(chain, text, **files):
    """The aliases, and `chain` as the last line of a.py has it."""
    sources = {"a": f"{text}\n{chain}\n", **files}
    trees = {
        f"{name}.py": parse(f"{name}.py", source.encode())
        for name, source in sources.items()
    }
    last = trees["a.py"].tree.body[-1]
    assert isinstance(last, ast.Expr)
    found = chain_of(last.value)
    assert found is not None
    return Aliases(trees), *found


def meanings(chain, text, **files):
    return last_of(asked(chain, text, **files))


def test_a_file_is_a_module_of_the_package():
    assert module_of("__init__.py") == "fla.ops.quasar"
    assert module_of("chunk.py") == "fla.ops.quasar.chunk"


@pytest.mark.parametrize(
    ("text", "chain", "path"),
    [
        ("import torch", "torch.os", "torch.os"),
        ("import torch as t", "t.os", "torch.os"),
        (
            "import torch.nn.functional as F",
            "F.pad",
            "torch.nn.functional.pad",
        ),
        ("import torch.nn.functional", "torch.load", "torch.load"),
        ("from torch import nn", "nn.Module", "torch.nn.Module"),
        ("from torch import os as o", "o.path", "torch.os.path"),
        ("import torch\nt = torch\nu = t.nn", "u.x", "torch.nn.x"),
        ("u = t.nn\nt = torch\nimport torch", "u.x", "torch.nn.x"),
        ("import torch\nt: object = torch", "t.x", "torch.x"),
        ("import torch\ndef f():\n    global t\n    t = torch", "t", "torch"),
        ("from fla.utils import device_torch_lib as d", "d.x", "torch.cuda.x"),
        ("from . import b", "b.t.x", "torch.x"),
        ("from .b import t", "t.x", "torch.x"),
        ("from .b import *", "t.x", "torch.x"),
        ("from .c import *", "t.x", "torch.x"),
        ("import fla.ops.quasar.b as b", "b.t.x", "torch.x"),
        ("import fla", "fla.ops.quasar.b.t.x", "torch.x"),
        ("from .b import u", "u.x", "torch.nn.x"),
        ("from .c import again", "again.x", "torch.x"),
        ("from . import b\nd = b", "d.t.x", "torch.x"),
        ("from . import d", "d.e.t.x", "torch.x"),
    ],
)
def test_a_name_is_followed_to_its_module(text, chain, path):
    found = meanings(
        chain,
        text,
        b="import torch as t\nu = t.nn\n",
        c="from .b import *\nagain = t\n",
        d="from . import b as e\n",
    )
    assert found == {path}


def test_a_name_stands_for_all_that_it_could():
    text = "import torch as t\nimport triton as t\n"
    assert meanings("t.y", text) == {"torch.y", "triton.y"}


def test_names_that_reach_no_module_are_left_alone():
    text = "q = k.T\nk = q.T\nq = q.mT\nq, k = k, q\n"
    assert meanings("q.T.mT", text) == {"fla.ops.quasar.a.q.T.mT"}


def test_a_name_that_grows_by_itself_is_followed_once():
    text = "import torch\nt = torch\nt = t.nn\n"
    assert meanings("t.x", text) == {"torch.x"}


def test_names_that_grow_by_each_other_are_tangled():
    text = "import torch\na = torch\na = b.x\nb = a.y\n"
    with pytest.raises(TangledNames):
        meanings("a.z", text)


def test_a_very_long_chain_is_tangled():
    with pytest.raises(TangledNames):
        meanings("t" + ".x" * 40, "import torch as t")


def test_a_name_of_hundreds_of_meanings_is_tangled():
    text = "".join(f"import torch.x{n} as t\n" for n in range(300))
    with pytest.raises(TangledNames):
        meanings("t", text)


def test_a_long_way_round_is_still_followed():
    text = "import torch\na0 = torch\n" + "".join(
        f"a{n} = a{n - 1}\n" for n in range(1, 100)
    )
    assert meanings("a99.os", text) == {"torch.os"}


def test_more_bindings_than_anybody_writes_are_tangled(monkeypatch):
    monkeypatch.setattr(aliases, "MAX_BINDINGS", 100)
    text = "".join(f"a{n}=t\n" for n in range(40))
    assert meanings("torch", "import torch", b=text, c=text) == {"torch"}
    with pytest.raises(TangledNames):
        meanings("torch", "import torch", b=text, c=text, d=text)


def test_long_ways_round_are_followed_only_so_often(monkeypatch):
    monkeypatch.setattr(aliases, "MAX_DETOURS", 1_000)
    text = "import torch\na0 = torch\n" + "".join(
        f"a{n} = a{n - 1}\n" for n in range(1, 250)
    )
    question = asked("a249", text)
    for _ in range(5):
        assert last_of(question) == {"torch"}
    with pytest.raises(TangledNames):
        last_of(question)


def test_stars_in_a_circle_come_to_an_end():
    assert meanings(
        "t.x",
        "from .b import *\n",
        b="from .c import *\nimport torch as t\n",
        c="from .a import *\n",
    ) == {"torch.x"}


def test_what_leaves_the_package_binds_nothing():
    assert meanings("gla", "from ..gla import gla") == {"fla.ops.quasar.a.gla"}
