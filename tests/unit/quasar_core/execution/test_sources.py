import pytest
from quasar_core.domain.identity import identity
from quasar_core.domain.sources import tree_hash
from quasar_core.errors import RejectionCode, SubmissionFault
from quasar_core.execution.git import create_repository
from quasar_core.execution.hardened_git import Git, within
from quasar_core.execution.kernel_files import list_kernel_files
from quasar_core.execution.sources import as_source, read_source

FILES = {"__init__.py": b"", "chunk.py": b"x = 1\n"}


def test_a_source_is_what_the_commit_holds(tmp_path):
    files = {f"fla/ops/quasar/{name}": each for name, each in FILES.items()}
    commit = create_repository(tmp_path, files)
    git = Git(tmp_path, deadline=within(20))
    source = read_source(git, list_kernel_files(git, commit))
    assert {file.name: file.text.encode() for file in source.files} == FILES
    assert source.tree_hash == tree_hash(FILES)
    assert source.identity == identity(FILES)


def test_an_identity_that_was_found_elsewhere_is_taken_as_it_is():
    assert as_source(FILES, "a" * 64).identity == "a" * 64


def test_a_source_of_files_is_checked():
    with pytest.raises(SubmissionFault) as caught:
        as_source({"a.py": b"\0"}, "a" * 64)
    assert caught.value.code is RejectionCode.NOT_TEXT
