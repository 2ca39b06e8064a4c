import time

from quasar_core.errors import RejectionCode
from quasar_core.execution.sandbox import Ending, Outcome
from quasar_core.judge.faults import (
    FAILURE_CODES,
    KernelFault,
    Patience,
    log_tail,
)
from quasar_core.judge.protocol import Failure


def outcome(stdout=b"", stderr=b""):
    return Outcome(Ending.NONZERO, 1, None, stdout, stderr, 1.0, None)


def test_every_failure_has_a_code():
    assert set(FAILURE_CODES) == set(Failure)


def test_patience_ends_when_it_has_been_charged():
    patience = Patience(10)
    patience.charge(4)
    assert patience.left == 6
    assert patience.deadline <= time.monotonic() + 6


def test_a_log_tail_is_inert_and_bounded():
    text = log_tail(outcome(b"\x1b[31mred\x00", b"e" * 100_000))
    assert text.startswith("--- stdout ---\n\ufffd[31mred\ufffd\n--- stderr")
    assert len(text) <= 8_000
    assert log_tail(outcome()) == ""


def test_a_fault_keeps_its_evidence_to_itself():
    evidence = {"token": 1}
    fault = KernelFault(RejectionCode.TIME_LIMIT, "late", evidence)
    evidence["token"] = 2
    assert fault.evidence == {"token": 1}
    assert str(fault) == "time_limit: late"
