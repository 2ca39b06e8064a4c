import pytest
from quasar_core.errors import RejectionCode, SubmissionFault
from quasar_core.execution.fetch import Fetcher, FetchLimits, local_source
from quasar_core.execution.git import create_repository

FILES = {"fla/ops/quasar/__init__.py": b"", "fla/ops/quasar/chunk.py": b"x\n"}


@pytest.fixture
def limits(tmp_path):
    return FetchLimits(("file",), (), directory=tmp_path / "work")


def test_a_fork_gives_what_its_owner_sees(limits, tmp_path):
    commit = create_repository(tmp_path / "fork", FILES)
    source = Fetcher(limits).fetch(f"file://{tmp_path / 'fork'}", commit)
    assert source == local_source(tmp_path / "fork")
    assert list(limits.directory.iterdir()) == []


def test_by_default_only_https_and_known_hosts_are_tried():
    fetcher = Fetcher()
    for url in ("file:///tmp/x", "https://example.org/x/y"):
        with pytest.raises(SubmissionFault) as caught:
            fetcher.fetch(url, "0" * 40)
        assert caught.value.code is RejectionCode.FORK_UNREACHABLE


def test_a_hash_that_is_none_is_not_found(limits, tmp_path):
    with pytest.raises(SubmissionFault) as caught:
        Fetcher(limits).fetch(f"file://{tmp_path}", "main")
    assert caught.value.code is RejectionCode.COMMIT_NOT_FOUND
