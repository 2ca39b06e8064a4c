import ast
import importlib.metadata

import pytest
from quasar_core.domain.screening import identity, screen
from quasar_core.judge.pinned import (
    assemble,
    baseline_files,
    baseline_source,
    pinned_files,
    source_files,
    source_of,
)


def test_the_pinned_tree_holds_what_kernels_build_on_and_no_operators():
    folders = {name.rsplit("/", 1)[0] for name in pinned_files()}
    assert {"fla", "fla/utils", "fla/ops/utils", "fla/ops/cp"} <= folders
    operators = {
        name.split("/")[2]
        for name in pinned_files()
        if name.startswith("fla/ops/")
    }
    assert operators == {"__init__.py", "utils", "common", "cp"}


def test_fla_itself_holds_its_version_alone():
    tree = ast.parse(pinned_files()["fla/__init__.py"])
    version = importlib.metadata.version("fla-core")
    assert ast.unparse(tree.body[1]) == f"__version__ = '{version}'"
    assert len(tree.body) == 2


def test_the_baseline_would_pass_as_a_submission():
    screen(baseline_files())
    source = baseline_source()
    assert source_files(source) == dict(baseline_files())
    assert source.identity == identity(baseline_files())


def test_a_source_keeps_files_in_order_of_their_names():
    source = source_of({"b.py": b"y = 1\n", "a.py": b"x = 1\n"})
    assert [file.name for file in source.files] == ["a.py", "b.py"]


def test_an_assembled_tree_is_the_pinned_one_with_these_kernels(tmp_path):
    root = assemble(tmp_path / "tree", {"__init__.py": b"x = 1\n"})
    found = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*.py")
    }
    assert found == {
        **pinned_files(),
        "fla/ops/quasar/__init__.py": b"x = 1\n",
    }
    modes = {path.stat().st_mode & 0o777 for path in root.rglob("*.py")}
    assert modes == {0o644}
    assert root.stat().st_mode & 0o777 == 0o755


def test_without_fla_core_it_says_what_is_missing(monkeypatch):
    from quasar_core.judge import pinned

    monkeypatch.setattr(pinned, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="fla"):
        pinned_files.__wrapped__()
