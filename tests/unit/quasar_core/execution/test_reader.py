import io
import json
import os
import sys
from types import SimpleNamespace

import pytest
from quasar_core.errors import RejectionCode, TransientError
from quasar_core.execution import reader
from quasar_core.execution.frames import Kind, decode, decode_fault, encode
from quasar_core.execution.git import create_repository
from quasar_core.execution.hardened_git import GitTimeout


@pytest.fixture
def read(monkeypatch):
    def answer(deed, **facts):
        out = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
        asked = json.dumps({"deed": deed, **facts})
        monkeypatch.setattr(sys, "argv", ["reader", asked])
        reader.main()
        return decode(out.getvalue())

    return answer


def screened(read, **files):
    given = os.memfd_create("given")
    parts = [
        part
        for name, text in files.items()
        for part in (f"{name}.py".encode(), text.encode())
    ]
    os.write(given, encode(Kind.FILES, parts))
    os.lseek(given, 0, os.SEEK_SET)
    return read("screen", descriptor=given)


def test_what_keeps_the_policy_is_well(read):
    answer = screened(read, __init__="def chunk_quasar(q): return q\n")
    assert answer.kind is Kind.WELL


def test_what_breaks_the_policy_is_told(read):
    fault = decode_fault(screened(read, __init__="import os\n"))
    assert fault.code is RejectionCode.FORBIDDEN_IMPORT


FACTS = {
    "protocols": ["file"],
    "seconds": 20,
    "pack_bytes": 1 << 20,
    "blob_bytes": 1 << 20,
    "memory_bytes": 1 << 30,
    "settings": [],
    "lanes": [],
    "target": None,
}


def test_a_commit_is_told_with_its_identity(read, tmp_path):
    commit = create_repository(tmp_path, {"fla/ops/quasar/a.py": b"x = 1\n"})
    asked = {"url": f"file://{tmp_path}", "commit_hash": commit}
    answer = read("fetch", **FACTS, **asked)
    identity, name, content = answer.blobs
    assert (answer.kind, len(identity)) == (Kind.FILES, 64)
    assert (name, content) == (b"a.py", b"x = 1\n")


@pytest.mark.parametrize(
    ("error", "kind"),
    [(GitTimeout("late"), Kind.LATE), (TransientError("down"), Kind.WORLD)],
)
def test_the_worlds_faults_are_told_apart(read, monkeypatch, error, kind):
    def fail(*_):
        raise error

    monkeypatch.setattr(reader, "take", fail)
    answer = read("fetch", url="file:///x", commit_hash="0" * 40, **FACTS)
    assert (answer.kind, answer.blobs) == (kind, (str(error).encode(),))
