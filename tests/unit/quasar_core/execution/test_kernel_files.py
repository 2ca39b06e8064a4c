import pytest
from quasar_core.errors import RejectionCode, SubmissionFault
from quasar_core.execution.git import create_repository
from quasar_core.execution.hardened_git import Git, within
from quasar_core.execution.kernel_files import (
    KernelFile,
    is_commit,
    list_kernel_files,
    missing_blobs,
    read_files,
)

FOLDER = "fla/ops/quasar"
FILES = {"__init__.py": b"", "chunk.py": b"x = 1\n", "same.py": b"x = 1\n"}


@pytest.fixture
def commit(tmp_path):
    files = {f"{FOLDER}/{name}": each for name, each in FILES.items()}
    return create_repository(tmp_path, {**files, "fla/ops/other.py": b"no"})


@pytest.fixture
def git(tmp_path):
    return Git(tmp_path, deadline=within(20))


def test_kernel_files_are_listed_and_read(git, commit):
    files = list_kernel_files(git, commit)
    assert [file.name for file in files] == sorted(FILES)
    assert read_files(git, files) == FILES


def test_a_commit_is_told_from_a_tree_and_from_nothing(git, commit):
    assert is_commit(git, commit)
    tree = git.run("rev-parse", "HEAD^{tree}").stdout.decode().strip()
    assert not is_commit(git, tree)
    assert not is_commit(git, "0" * 40)


def test_objects_that_are_not_there_are_missing(git, commit):
    here = list_kernel_files(git, commit)
    absent = KernelFile("absent.py", "0" * 40)
    assert missing_blobs(git, here) == ()
    assert missing_blobs(git, (*here, absent)) == ("0" * 40,)


def test_a_commit_that_cannot_be_listed_misses_its_files(git, commit):
    with pytest.raises(SubmissionFault) as caught:
        list_kernel_files(git, "0" * 40)
    assert caught.value.code is RejectionCode.FILES_MISSING
