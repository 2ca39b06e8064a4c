import pytest
from quasar_core.errors import RejectionCode, SubmissionFault
from quasar_core.execution.git import commit_files, create_repository
from quasar_core.execution.local_source import local_source

FOLDER = "fla/ops/quasar"
FILES = {f"{FOLDER}/__init__.py": b"", f"{FOLDER}/chunk.py": b"x = 1\n"}


@pytest.fixture
def repository(tmp_path):
    create_repository(tmp_path / "mine", FILES)
    return tmp_path / "mine"


def code_of(*arguments):
    with pytest.raises(SubmissionFault) as caught:
        local_source(*arguments)
    return caught.value.code


def test_the_head_is_read_and_not_what_lies_about(repository):
    (repository / FOLDER / "chunk.py").write_text("x = 2\n")
    assert [file.text for file in local_source(repository).files] == [
        "",
        "x = 1\n",
    ]


def test_the_working_tree_is_read_where_it_is_asked_for(repository):
    (repository / FOLDER / "chunk.py").write_text("x = 2\n")
    (repository / FOLDER / "new.py").write_text("y = 3\n")
    found = local_source(repository, None)
    assert [file.text for file in found.files] == ["", "x = 2\n", "y = 3\n"]


def test_a_branch_tag_or_hash_names_a_commit(repository):
    first = local_source(repository)
    commit_files(repository, {f"{FOLDER}/chunk.py": b"x = 9\n"}, "next")
    assert local_source(repository, "HEAD~1") == first
    assert local_source(repository, "main") != first


def test_a_folder_of_the_repository_may_be_pointed_at(tmp_path):
    assert code_of(tmp_path) is RejectionCode.FORK_UNREACHABLE
    assert code_of(tmp_path / "no") is RejectionCode.FORK_UNREACHABLE


@pytest.mark.parametrize("ref", ["no-such-branch", "--help", "0" * 40, ""])
def test_an_unknown_commit_is_not_found(repository, ref):
    assert code_of(repository, ref) is RejectionCode.COMMIT_NOT_FOUND


def test_a_tree_without_kernel_files_misses_them(tmp_path):
    create_repository(tmp_path, {"a": b"b"})
    assert code_of(tmp_path) is RejectionCode.FILES_MISSING
    assert code_of(tmp_path, None) is RejectionCode.FILES_MISSING


def test_a_link_in_the_working_tree_is_not_text(repository):
    (repository / FOLDER / "link.py").symlink_to("/etc/hostname")
    assert code_of(repository, None) is RejectionCode.NOT_TEXT


def test_a_folder_called_like_a_file_is_not_text(repository):
    (repository / FOLDER / "x.py").mkdir()
    assert code_of(repository, None) is RejectionCode.NOT_TEXT


def test_a_large_file_in_the_working_tree_is_too_large(repository):
    (repository / FOLDER / "big.py").write_bytes(b"#" * 300_000)
    assert code_of(repository, None) is RejectionCode.TOO_LARGE
