"""Import rules: each import statement, allowed or named."""

import pytest
from quasar_core.domain.import_rules import import_findings
from quasar_core.domain.syntax import parse
from quasar_core.errors import RejectionCode


def found(text):
    findings = list(import_findings("a.py", parse("a.py", text.encode())))
    assert all(one.code is RejectionCode.FORBIDDEN_IMPORT for one in findings)
    return [(one.line, one.rule, one.name) for one in findings]


@pytest.mark.parametrize(
    "text",
    [
        "from __future__ import annotations",
        "import math, typing",
        "import torch.nn.functional as F",
        "from torch import nn",
        "import triton.language as tl",
        "from triton.language.extra import libdevice",
        "import fla.ops.utils",
        "from fla import ops, utils",
        "from fla.ops import utils, common, quasar",
        "from . import gate",
        "from .gate import quasar_gate",
        "from .gate import *",
        "from fla.ops.quasar.gate import *",
        "class A:\n    def f(self):\n        import torch",
        "def f():\n    from torch import nn",
    ],
)
def test_honest_imports_are_allowed(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\nimport os", (2, "not_allowed", "os")),
        ("import torch, os.path", (1, "not_allowed", "os.path")),
        ("import torch.os", (1, "dangerous_attribute", "torch.os")),
        ("from torch import os", (1, "dangerous_attribute", "torch.os")),
        (
            "from typing import sys as s",
            (1, "dangerous_attribute", "typing.sys"),
        ),
        ("from fla.ops import gla", (1, "not_allowed", "fla.ops.gla")),
        ("from fla.ops import gla as g", (1, "not_allowed", "fla.ops.gla")),
        ("import fla.ops.kda.chunk", (1, "not_allowed", "fla.ops.kda.chunk")),
        ("from fla import layers", (1, "not_allowed", "fla.layers")),
        ("from torch import *", (1, "star_import", "torch.*")),
        ("from fla.utils import *", (1, "star_import", "fla.utils.*")),
        ("from os import *", (1, "not_allowed", "os.*")),
        (
            "from ..gla import chunk_gla",
            (1, "relative_import_leaves_package", "..gla"),
        ),
        (
            "from ..common import chunk_h",
            (1, "relative_import_leaves_package", "..common"),
        ),
        ("from ... import os", (1, "relative_import_leaves_package", "...")),
        (
            "from .x import __builtins__",
            (1, "dunder", "fla.ops.quasar.x.__builtins__"),
        ),
        (
            "class A:\n    if 1:\n        import torch",
            (3, "import_in_class", "A"),
        ),
        (
            "class A:\n    from torch import nn",
            (2, "import_in_class", "A"),
        ),
        (
            "try:\n    import os\nexcept ImportError: pass",
            (2, "not_allowed", "os"),
        ),
        (
            "def f():\n    def g():\n        import os",
            (3, "not_allowed", "os"),
        ),
    ],
)
def test_others_are_named_with_line_and_rule(text, expected):
    assert found(text) == [expected]
