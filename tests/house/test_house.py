"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELVES = ("libs", "kernels")
MODULES = sorted(
    path.relative_to(ROOT)
    for shelf in ("libs", "kernels", "services", "deploy")
    for path in (ROOT / shelf).rglob("*.py")
)
UNMIRRORED = {"__init__", "__main__", "app", "settings", "cli", "web"}
"""Joining and starting, which the end-to-end tests exercise."""


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[1:] if parts[0] in SHELVES else parts)


def mirror_of(path: Path) -> Path:
    parts = path.parts[1:] if path.parts[0] in SHELVES else path.parts
    return Path("tests", "unit", *parts[:-1], f"test_{parts[-1]}")


def holds_logic(path: Path) -> bool:
    """Whether a module has a function body that does more than declare."""
    tree = ast.parse((ROOT / path).read_text())
    return any(
        isinstance(node, ast.If | ast.For | ast.While | ast.Try | ast.Return)
        for node in ast.walk(tree)
    )


def needs_a_mirror(path: Path) -> bool:
    return (
        path.stem not in UNMIRRORED
        and "migrations" not in path.parts
        and "miners" not in path.parts
        and holds_logic(path)
    )


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_opens_with_one_sentence_that_says_what_it_holds(path):
    if path.name == "__init__.py" and not (ROOT / path).read_text().strip():
        return
    docstring = ast.get_docstring(ast.parse((ROOT / path).read_text()))
    assert docstring, f"{path} has no module docstring"
    first = docstring.split("\n\n")[0].strip()
    assert first[-1] in ".:", f"{path} opens without a sentence: {first!r}"


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in MODULES
        if path.parts[0] != "kernels" and "versions" not in path.parts
    ],
    ids=str,
)
def test_a_file_holds_one_noun(path):
    lines = len((ROOT / path).read_text().splitlines())
    assert lines <= 300, f"{path} has {lines} lines: is a second noun inside?"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if needs_a_mirror(path)], ids=str
)
def test_a_module_with_logic_has_its_test_where_the_mirror_says(path):
    assert (ROOT / mirror_of(path)).is_file(), f"no {mirror_of(path)}"


def test_every_direct_dependency_is_pinned_and_its_licence_recorded():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {
        re.split(r"[\[<>=;~! ]", line)[0].lower()
        for line in wanted
        if not line.startswith("quasar-subnet")
    }
    pins = {
        line.split("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    assert names - pins == set()
    recorded = (ROOT / "docs" / "dependencies.md").read_text().lower()
    assert {name for name in names if f"| {name} |" not in recorded} == set()


def test_nothing_speaks_of_a_machine_it_was_made_on():
    hidden = "|".join(
        re.escape(word)
        for word in ("/wo" + "rk/", "/ro" + "ot/", "sha" + "red/design")
    )
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    found = []
    for name in listed:
        path = ROOT / name
        if not path.is_file() or path.suffix in {".png", ".svg"}:
            continue
        text = path.read_text(errors="replace")
        found += [
            f"{name}: {line.strip()[:80]}"
            for line in text.splitlines()
            if re.search(rf"(?<![A-Za-z0-9_.])({hidden})", line)
        ]
    assert found == []


CANDIDATE = ROOT / "libs" / "quasar_core" / "judge" / "candidate"
OURS = {"quasar_core", "fla_quasar", "services", "deploy", "tests"}


def imported_roots(path: Path) -> set[str]:
    roots = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            roots.add((node.module or "").split(".")[0])
    return roots


def test_what_runs_inside_the_sandbox_imports_nothing_of_ours():
    files = sorted(CANDIDATE.rglob("*.py"))
    assert files
    assert {path.name: imported_roots(path) & OURS for path in files} == {
        path.name: set() for path in files
    }


def test_nothing_imports_what_runs_inside_the_sandbox():
    assert not (CANDIDATE / "__init__.py").exists()
    found = [
        str(path)
        for path in MODULES
        if CANDIDATE not in (ROOT / path).parents
        and "judge.candidate" in (ROOT / path).read_text()
    ]
    assert found == []


def test_the_joint_command_line_helps_without_loading_any_service():
    program = (
        "import sys; from services.cli import app;"
        "app(['--help'], standalone_mode=False);"
        "heavy = {'torch', 'bittensor', 'celery', 'fastapi', 'sqlalchemy'};"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        cwd=ROOT,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
