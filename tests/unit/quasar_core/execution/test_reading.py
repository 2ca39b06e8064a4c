import pytest
from quasar_core.errors import (
    RejectionCode,
    Stage,
    SubmissionFault,
    TransientError,
)
from quasar_core.execution.frames import Kind, encode
from quasar_core.execution.hardened_git import GitTimeout
from quasar_core.execution.limits import Limits
from quasar_core.execution.reading import Asked, read
from quasar_core.execution.sandbox import Ending, Outcome


class Reader:
    """A sandbox whose payload ended like this, and said this."""

    def __init__(self, ending=Ending.OK, stdout=b"", stderr=b""):
        self._outcome = Outcome(ending, 0, None, stdout, stderr, 1.0, None)
        self.job = None

    def start(self, job):
        self.job = job
        return self

    def wait(self):
        return self._outcome

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def asked(stage=Stage.FETCH):
    return Asked("fetch", {"a": 1}, stage, Limits())


def test_an_answer_is_handed_on_and_the_start_is_told():
    told = []
    reader = Reader(stdout=encode(Kind.WELL))
    answer = read(reader, asked(), lambda: told.append(1))
    assert (answer.kind, told) == (Kind.WELL, [1])
    assert "fetch" in reader.job.argv[-1]


def test_nothing_that_is_secret_is_shown_to_a_reader():
    reader = Reader(stdout=encode(Kind.WELL))
    read(reader, asked())
    ours = {
        mount.target.name
        for mount in reader.job.mounts
        if "quasar_core" in mount.target.parts
    }
    assert ours == {"__init__.py", "errors.py", "domain", "execution"}
    assert set(reader.job.environment) <= {
        *("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE"),
        "LD_LIBRARY_PATH",
    }


@pytest.mark.parametrize(
    ("ending", "stage", "code"),
    [
        (Ending.OUT_OF_MEMORY, Stage.FETCH, RejectionCode.TOO_LARGE),
        (Ending.OUTPUT_LIMIT, Stage.FETCH, RejectionCode.TOO_LARGE),
        (Ending.SIGNAL, Stage.FETCH, RejectionCode.FORK_UNREACHABLE),
        (Ending.SIGNAL, Stage.SCREEN, RejectionCode.SYNTAX_ERROR),
        (Ending.TIMEOUT, Stage.SCREEN, RejectionCode.SYNTAX_ERROR),
        (Ending.OK, Stage.FETCH, RejectionCode.FORK_UNREACHABLE),
        (Ending.OK, Stage.SCREEN, RejectionCode.SYNTAX_ERROR),
    ],
)
def test_who_brings_the_reader_down_is_at_fault(ending, stage, code):
    with pytest.raises(SubmissionFault) as caught:
        read(Reader(ending), asked(stage))
    assert (caught.value.code, caught.value.stage) == (code, stage)


@pytest.mark.parametrize(
    ("reader", "error"),
    [
        (Reader(Ending.TIMEOUT), GitTimeout),
        (Reader(Ending.INFRA), TransientError),
        (Reader(Ending.NONZERO, stderr=b"a\nno git\n"), TransientError),
        (Reader(stdout=encode(Kind.LATE, [b"late"])), GitTimeout),
        (Reader(stdout=encode(Kind.WORLD, [b"down"])), TransientError),
    ],
)
def test_the_worlds_faults_are_the_worlds(reader, error):
    with pytest.raises(error):
        read(reader, asked())
