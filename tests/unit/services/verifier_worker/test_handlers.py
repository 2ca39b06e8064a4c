from contextlib import nullcontext

import pytest
from quasar_core.contracts.reports import Rejection
from quasar_core.errors import RejectionCode, Stage
from quasar_core.worker.attempt import Attempt

from services.verifier_worker.handlers import verify_submission
from tests.support.events import (
    a_logits_report,
    a_manifest,
    verification_requested,
)
from tests.support.post import FakePost

DIFFER = Rejection(code=RejectionCode.LOGITS_DIFFER, stage=Stage.LOGITS)


def tell(logits, rejection):
    post = FakePost()
    job = verification_requested()
    attempt = Attempt(job, "worker-1", post, nullcontext, Stage.LOGITS)
    verify_submission(
        job,
        attempt,
        verify=lambda *_: (a_manifest(), logits, rejection),
    )
    (event,) = post.delivered
    return event


def test_logits_that_agree_complete_the_verification():
    event = tell(a_logits_report(), None)
    assert event.event_name == "verification.completed"
    assert (event.logits, event.manifest) == (a_logits_report(), a_manifest())


@pytest.mark.parametrize("logits", [a_logits_report(), None])
def test_logits_that_differ_reject_the_submission(logits):
    event = tell(logits, DIFFER)
    assert event.event_name == "submission.rejected"
    assert (event.rejection, event.logits) == (DIFFER, logits)


def test_a_verification_without_an_end_is_no_verdict():
    with pytest.raises(ValueError, match="without logits"):
        tell(None, None)
