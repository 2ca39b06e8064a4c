import pytest
from quasar_core.contracts.reports import Rejection
from quasar_core.errors import RejectionCode, Stage, SubmissionFault
from quasar_core.judge.faults import KernelFault
from quasar_core.judge.rejections import (
    RejectedError,
    blamed,
    refuse,
    rejection_of,
)


def test_a_kernels_fault_becomes_a_verdict_of_its_stage():
    fault = KernelFault(
        RejectionCode.RUNTIME_ERROR, "d" * 2_000, {"n": 1}, "l" * 10_000
    )
    with pytest.raises(RejectedError) as caught, blamed(Stage.TIMED):
        raise fault
    rejection = caught.value.rejection
    assert (rejection.code, rejection.stage) == (fault.code, Stage.TIMED)
    assert (len(rejection.detail), len(rejection.log_tail)) == (1_000, 8_192)
    assert rejection.evidence == {"n": 1}


def test_a_fault_that_was_screened_becomes_a_verdict():
    fault = SubmissionFault(
        RejectionCode.FORBIDDEN_IMPORT, Stage.SCREEN, "os", {"line": 3}
    )
    assert rejection_of(fault) == Rejection(
        code=fault.code, stage=Stage.SCREEN, detail="os", evidence={"line": 3}
    )


def test_only_a_rejection_is_refused():
    refuse(None)
    rejection = Rejection(code=RejectionCode.TIME_LIMIT, stage=Stage.SMOKE)
    with pytest.raises(RejectedError):
        refuse(rejection)
