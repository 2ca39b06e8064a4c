"""The entry point: what `__init__.py` binds, through star imports."""

import pytest
from quasar_core.domain.entry_point import exported_names
from quasar_core.domain.syntax import parse


def exported(init, **files):
    trees = {
        f"{name}.py": parse(f"{name}.py", text.encode())
        for name, text in {"__init__": init, **files}.items()
    }
    return exported_names(trees)


CHUNK = "import torch\ndef chunk(): pass\n_hidden = 1\n"


@pytest.mark.parametrize(
    "init",
    [
        "from .x import chunk",
        "from .x import run as chunk",
        "from fla.ops.quasar.x import chunk",
        "def chunk(): pass",
        "class chunk: pass",
        "chunk = 1",
        "chunk: int = 1",
        "a, chunk = 1, 2",
        "(chunk := 1)",
        "import torch as chunk",
        "try:\n    from .x import chunk\nexcept ImportError:\n    raise",
        "if True:\n    chunk = 1",
        "from .c import *",
        "from .b import *",
        "from fla.ops.quasar.c import *",
    ],
)
def test_every_way_to_bind_a_name_exports_it(init):
    found = exported(init, b="from .c import *", c=CHUNK)
    assert "chunk" in found


@pytest.mark.parametrize(
    "init",
    [
        "",
        "chunk",
        "def f():\n    chunk = 1",
        "class A:\n    chunk = 1",
        "f = lambda: (chunk := 1)",
        "x.chunk = 1",
        "from .missing import *",
        "from torch import *",
        "from ..c import *",
        "__all__ = ['chunk']",
        "import chunk.x as y",
    ],
)
def test_a_name_bound_elsewhere_is_not_exported(init):
    assert "chunk" not in exported(init, c=CHUNK)


def test_a_star_brings_no_private_names():
    assert "_hidden" not in exported("from .c import *", c=CHUNK)
    assert "_hidden" in exported("_hidden = 1")


def test_stars_in_a_circle_come_to_an_end():
    assert exported(
        "from .b import *", b="from .c import *\nx = 1", c="from .b import *"
    ) == {"x"}


def test_without_its_file_a_package_exports_nothing():
    assert exported_names({"chunk.py": parse("chunk.py", b"x = 1")}) == set()
