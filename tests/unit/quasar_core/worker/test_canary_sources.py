import pytest
from quasar_core.domain.canaries import Canary
from quasar_core.domain.screening import screen
from quasar_core.errors import RejectionCode, SubmissionFault
from quasar_core.judge.pinned import baseline_source, source_files
from quasar_core.worker.canary_sources import canary_source


def test_the_honest_canary_is_the_trusted_kernel_itself():
    assert canary_source(Canary.HONEST) == baseline_source()


def test_the_policy_lets_in_all_but_the_smuggler():
    for canary in (Canary.HONEST, Canary.FORGETFUL):
        screen(source_files(canary_source(canary)))
    with pytest.raises(SubmissionFault) as caught:
        screen(source_files(canary_source(Canary.SMUGGLER)))
    assert caught.value.code is RejectionCode.FORBIDDEN_IMPORT
