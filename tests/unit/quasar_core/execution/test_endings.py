import pytest
from quasar_core.execution.endings import Counts, Said, ended
from quasar_core.execution.sandbox import Ending
from quasar_core.execution.supervisor import Stop


class Group:
    """A cgroup that has counted."""

    def __init__(self, oom_kills=0, refused=0):
        self._counts = (oom_kills, refused)

    def oom_kills(self):
        return self._counts[0]

    def pids_refused(self):
        return self._counts[1]

    def peak_memory_bytes(self):
        return 4096


def outcome(stop, code, *, ready=True, group=None):
    said = Said(ready, code, b"said", b"")
    return ended(stop, said, Counts.of(group), 1.5)


@pytest.mark.parametrize(
    ("stop", "code", "ending", "number"),
    [
        (Stop.EXITED, 0, Ending.OK, None),
        (Stop.EXITED, 1, Ending.NONZERO, None),
        (Stop.EXITED, 128, Ending.NONZERO, None),
        (Stop.EXITED, 139, Ending.SIGNAL, 11),
        (Stop.EXITED, 192, Ending.SIGNAL, 64),
        (Stop.EXITED, 255, Ending.NONZERO, None),
        (Stop.EXITED, None, Ending.INFRA, None),
        (Stop.DEADLINE, None, Ending.TIMEOUT, None),
        (Stop.OVERFLOW, None, Ending.OUTPUT_LIMIT, None),
        (Stop.ASKED, None, Ending.KILLED, None),
    ],
)
def test_each_end_has_its_name(stop, code, ending, number):
    found = outcome(stop, code)
    assert (found.ending, found.signal) == (ending, number)
    assert (found.stdout, found.wall_seconds) == (b"said", 1.5)


@pytest.mark.parametrize("stop", [Stop.EXITED, Stop.DEADLINE])
def test_what_ends_before_the_payload_began_is_the_hosts_fault(stop):
    assert outcome(stop, 1, ready=False).ending is Ending.INFRA


def test_what_is_killed_before_it_began_was_killed():
    found = outcome(Stop.ASKED, None, ready=False)
    assert found.ending is Ending.KILLED


@pytest.mark.parametrize(
    ("stop", "code"),
    [(Stop.EXITED, 137), (Stop.ASKED, None), (Stop.DEADLINE, None)],
)
def test_a_payload_that_ran_out_of_memory_is_told_so(stop, code):
    found = outcome(stop, code, group=Group(oom_kills=1))
    assert found.ending is Ending.OUT_OF_MEMORY
    assert found.peak_memory_bytes == 4096


def test_a_payload_that_outlives_the_end_of_a_child_is_well():
    found = outcome(Stop.EXITED, 0, group=Group(oom_kills=1, refused=2))
    assert found.ending is Ending.OK
    assert found.pids_limit_hit
