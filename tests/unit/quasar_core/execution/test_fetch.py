import pytest
from quasar_core.errors import RejectionCode, SubmissionFault, TransientError
from quasar_core.execution.fetch import (
    Fetcher,
    FetchLimits,
    _source,
    local_source,
)
from quasar_core.execution.frames import Answer, Kind
from quasar_core.execution.git import create_repository

from tests.support.sandboxes import sandbox_in

FILES = {"fla/ops/quasar/__init__.py": b"", "fla/ops/quasar/chunk.py": b"x\n"}


@pytest.fixture
def limits():
    return FetchLimits(("file",), ())


@pytest.fixture
def sandbox(tmp_path):
    tmp_path.chmod(0o755)
    return sandbox_in(tmp_path)


def test_a_fork_gives_what_its_owner_sees(limits, sandbox, tmp_path):
    commit = create_repository(tmp_path / "fork", FILES)
    source = Fetcher(sandbox, limits).fetch(
        f"file://{tmp_path / 'fork'}", commit
    )
    assert source == local_source(tmp_path / "fork")


def test_by_default_only_https_and_known_hosts_are_tried(sandbox):
    fetcher = Fetcher(sandbox)
    for url in ("file:///tmp/x", "https://example.org/x/y"):
        with pytest.raises(SubmissionFault) as caught:
            fetcher.fetch(url, "0" * 40)
        assert caught.value.code is RejectionCode.FORK_UNREACHABLE


def test_a_hash_that_is_none_is_not_found(limits, sandbox, tmp_path):
    with pytest.raises(SubmissionFault) as caught:
        Fetcher(sandbox, limits).fetch(f"file://{tmp_path}", "main")
    assert caught.value.code is RejectionCode.COMMIT_NOT_FOUND


@pytest.mark.parametrize(
    "blobs",
    [
        (),
        (b"a" * 64,),
        (b"a" * 63, b"chunk.py", b"x"),
        (b"a" * 64, b"chunk.py"),
        (b"a" * 64, b"../../x.py", b"x"),
        (b"a" * 64, b"chunk.py", b"\0"),
    ],
)
def test_no_source_is_made_of_what_no_reader_would_say(blobs):
    with pytest.raises(SubmissionFault):
        _source(Answer(Kind.FILES, blobs))


def test_a_fork_that_may_not_be_read_is_the_worlds_fault(sandbox, tmp_path):
    commit = create_repository(tmp_path / "fork", FILES)
    (tmp_path / "fork").chmod(0o700)
    limits = FetchLimits(("file",), ())
    with pytest.raises(TransientError, match="chmod"):
        Fetcher(sandbox, limits).fetch(f"file://{tmp_path}/fork", commit)
