"""Findings: each says where, which rule, and why."""

import ast

from quasar_core.domain.findings import EXPLANATIONS, finding
from quasar_core.errors import RejectionCode


def a_finding(name="torch.os"):
    node = ast.parse("\n\n  \nx = torch.os").body[0]
    return finding(
        RejectionCode.FORBIDDEN_CALL, "a.py", node, "standard_module", name
    )


def test_a_finding_says_where_and_why():
    assert a_finding().sentence == (
        "a.py:4: torch.os: reaches a module that a library imports"
    )
    assert a_finding().evidence == {
        "file": "a.py",
        "line": 4,
        "rule": "standard_module",
        "name": "torch.os",
    }
    assert a_finding().position == (4, 0, "standard_module", "torch.os")


def test_a_name_is_shown_in_ascii_and_cut():
    shown = a_finding("\x1b[31m\u202e" + "x" * 500).name
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) < 200


def test_every_explanation_is_a_phrase():
    assert all(text and text[-1] != "." for text in EXPLANATIONS.values())
