import pytest
from quasar_core.errors import RejectionCode, SubmissionFault, TransientError
from quasar_core.execution.git_failures import failure
from quasar_core.execution.hardened_git import GitAnswer


def told(text):
    error = failure(GitAnswer(128, b"", text.encode()))
    return error.code if isinstance(error, SubmissionFault) else type(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "fatal: remote error: upload-pack: not our ref 00",
            RejectionCode.COMMIT_NOT_FOUND,
        ),
        (
            "error: Server does not allow request for unadvertised object 00",
            RejectionCode.COMMIT_NOT_FOUND,
        ),
        (
            (
                "fatal: could not read Username for 'https://github.com':"
                " terminal prompts disabled"
            ),
            RejectionCode.FORK_UNREACHABLE,
        ),
        (
            (
                "fatal: unable to access 'https://x/': The requested URL"
                " returned error: 403"
            ),
            RejectionCode.FORK_UNREACHABLE,
        ),
        (
            "fatal: unable to update url base from redirection",
            RejectionCode.FORK_UNREACHABLE,
        ),
        (
            "fatal: repository 'https://github.com/x/y.git/' not found",
            RejectionCode.FORK_UNREACHABLE,
        ),
        (
            (
                "error: object 00: hasDotdot: contains '..'\nfatal: fsck error"
                " in packed object"
            ),
            RejectionCode.FORK_UNREACHABLE,
        ),
        ("fatal: write error: File too large", RejectionCode.TOO_LARGE),
        ("fatal: Out of memory, malloc failed", RejectionCode.TOO_LARGE),
        (
            (
                "fatal: unable to access 'https://x/': The requested URL"
                " returned error: 502"
            ),
            TransientError,
        ),
        (
            "fatal: unable to access 'https://x/': Could not resolve host",
            TransientError,
        ),
        ("fatal: unable to access: Connection timed out", TransientError),
        ("fatal: SSL certificate problem: expired", TransientError),
        ("fatal: early EOF", TransientError),
        ("git: 'remote-https' is not a git command", TransientError),
        ("words that git will only say next year", TransientError),
        ("", TransientError),
    ],
)
def test_the_owner_of_a_failure_is_told_by_what_git_says(text, expected):
    assert told(text) is expected


def test_what_the_server_says_of_itself_decides_nothing():
    text = "remote: returned error: 503\nfatal: repository 'x' not found"
    assert told(text) is RejectionCode.FORK_UNREACHABLE


def test_details_are_short_and_printable():
    noise = b"remote: \x1b[2J" + b"fatal: \x1b]0;x\x07\xff" + b"y" * 9999
    error = failure(GitAnswer(1, b"", b"fatal: not our ref\n" + noise))
    assert isinstance(error, SubmissionFault)
    assert error.detail.isprintable()
    assert error.detail.isascii()
    assert len(error.detail) <= 300
