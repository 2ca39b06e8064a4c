import pytest
from quasar_core.errors import RejectionCode, SubmissionFault
from quasar_core.execution.git import create_repository
from quasar_core.execution.taking import Taking, take

FILES = {"__init__.py": b"", "chunk.py": b"x = 1\n"}


@pytest.fixture
def taking(tmp_path):
    files = {f"fla/ops/quasar/{name}": each for name, each in FILES.items()}
    commit = create_repository(tmp_path / "fork", files)

    def asked(commit_hash=commit, url=f"file://{tmp_path}/fork"):
        (tmp_path / "place").mkdir()
        return take(
            Taking(
                url=url,
                commit_hash=commit_hash,
                protocols=("file",),
                seconds=20,
                pack_bytes=1 << 20,
                blob_bytes=1 << 20,
                memory_bytes=1 << 30,
            ),
            tmp_path / "place",
        )

    return asked


def test_the_kernel_files_of_a_commit_are_taken(taking):
    assert taking() == FILES


def test_what_is_not_there_cannot_be_taken(taking, tmp_path):
    with pytest.raises(SubmissionFault) as caught:
        taking("0" * 40)
    assert caught.value.code is RejectionCode.COMMIT_NOT_FOUND


def test_where_there_is_no_repository_nothing_is(taking, tmp_path):
    with pytest.raises(SubmissionFault) as caught:
        taking(url=f"file://{tmp_path}/nowhere")
    assert caught.value.code is RejectionCode.FORK_UNREACHABLE
