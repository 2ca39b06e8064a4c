"""Syntax: whatever the parser cannot bear is a syntax error."""

import ast
import contextlib
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quasar_core.domain.syntax import (
    MAX_DEPTH,
    class_statements,
    parse,
    parse_annotation,
)
from quasar_core.errors import RejectionCode, Stage, SubmissionFault


def refused(content):
    with pytest.raises(SubmissionFault) as caught:
        parse("a.py", content)
    assert caught.value.stage is Stage.SCREEN
    assert caught.value.code is RejectionCode.SYNTAX_ERROR
    assert caught.value.evidence["file"] == "a.py"
    return caught.value


def test_the_nodes_are_all_that_the_tree_holds():
    syntax = parse("a.py", b"def f(x):\n    return x + 1\n")
    assert set(syntax.nodes) == set(ast.walk(syntax.tree))
    assert syntax.nodes[0] is syntax.tree


def test_a_syntax_error_is_told_with_its_line():
    fault = refused(b"x = 1\nif:\n")
    assert fault.evidence["line"] == 2
    assert fault.evidence["rule"] == "syntax"
    assert "line 2" in fault.detail


@pytest.mark.parametrize(
    "content",
    [
        "(" * 100_000,
        "[" * 150 + "]" * 150 + "(" * 250,
        "-" * 200_000 + "1",
        "not " * 50_000 + "x",
        "x" + ".a" * 100_000,
        "x" + "[0]" * 50_000,
        "x" + "()" * 100_000,
        "x = " + "1 + " * 50_000 + "1",
        "x = " + "1 if 1 else " * 20_000 + "1",
        "lambda: " * 30_000 + "1",
        "".join(" " * n + "if 1:\n" for n in range(300)),
        "if 1: pass\n" + "elif 1: pass\n" * 5_000,
        "x = " + "9" * 10_000,
        "f'" + "{" * 5_000,
        "x = 1 \\",
        "'''" + "a" * 1_000,
        "x = '\\N{no such name}'",
        "print 'hello'",
        "import",
        "\x0c\x1a\x1b",
        "x" + "=x" * 400 + ".a" * 400,
    ],
    ids=range(21),
)
def test_hostile_text_is_a_syntax_error_and_nothing_worse(content):
    refused(content.encode())


def test_nesting_is_bounded_where_it_is_said_to_be():
    # A module, a statement, and a name at the bottom.
    deep = MAX_DEPTH - 3
    fits = "x" + ".a" * (deep - 1)
    parse("a.py", fits.encode())
    assert (
        "nested deeper" in refused(("x" + ".a" * (deep + 3)).encode()).detail
    )


def test_a_strangers_warning_is_not_ours():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse("a.py", b"x = '\\d'\n")
        parse_annotation("'\\d'")


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_any_text_parses_or_is_refused(text):
    content = text.encode("utf-8", "surrogatepass")
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        with pytest.raises(SubmissionFault):
            parse("a.py", content)
    else:
        with contextlib.suppress(SubmissionFault):
            parsed = parse("a.py", content).tree
            assert ast.dump(parsed) == ast.dump(tree)


@pytest.mark.parametrize("text", ["", "b t h", "x =", "(" * 9_999, "\0"])
def test_what_is_no_annotation_is_none(text):
    assert parse_annotation(text) is None


def test_an_annotation_is_an_expression():
    expression = parse_annotation(" torch.Tensor | None")
    assert expression is not None
    assert ast.unparse(expression) == "torch.Tensor | None"


def test_a_classs_own_statements_end_at_functions_and_classes():
    tree = ast.parse(
        "class A:\n"
        "    if 1:\n"
        "        x = 1\n"
        "    def f(self):\n"
        "        y = 1\n"
        "    class B:\n"
        "        z = 1\n"
    )
    [outer] = tree.body
    assert isinstance(outer, ast.ClassDef)
    kinds = [
        type(node).__name__
        for node in class_statements(outer)
        if isinstance(node, ast.stmt)
    ]
    assert sorted(kinds) == ["Assign", "ClassDef", "FunctionDef", "If"]
