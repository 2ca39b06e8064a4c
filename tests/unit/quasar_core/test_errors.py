import pytest
from quasar_core.errors import (
    REJECTION_SENTENCES,
    Problem,
    ProblemCode,
    RejectionCode,
    Stage,
    SubmissionFault,
)


def test_a_fault_tells_its_code_stage_sentence_and_evidence():
    fault = SubmissionFault(
        RejectionCode.FORBIDDEN_IMPORT,
        Stage.SCREEN,
        "chunk.py imports os",
        {"file": "chunk.py", "line": 3},
    )
    assert str(fault) == "forbidden_import at screen: chunk.py imports os"
    assert fault.sentence == REJECTION_SENTENCES[fault.code]
    assert fault.evidence == {"file": "chunk.py", "line": 3}


def test_evidence_cannot_be_changed_after_the_fact():
    fault = SubmissionFault(RejectionCode.TIME_LIMIT, Stage.SMOKE)
    with pytest.raises(TypeError):
        fault.evidence["file"] = "other.py"


def test_every_code_has_a_sentence_and_no_sentence_is_without_a_code():
    assert set(REJECTION_SENTENCES) == set(RejectionCode)


def test_a_problem_carries_its_status_code_and_headers():
    problem = Problem(
        503,
        ProblemCode.UNAVAILABLE,
        "The database is away.",
        {"Retry-After": "5"},
    )
    assert str(problem) == "503 unavailable: The database is away."
    assert problem.headers == {"Retry-After": "5"}
