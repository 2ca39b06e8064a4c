import pytest
from quasar_core.errors import TransientError
from quasar_core.judge.spawn import UnhealthyDeviceError
from quasar_core.worker.quarantine import Quarantine, WorkerQuarantined


def test_two_failures_in_a_row_set_a_worker_aside(tmp_path):
    quarantine = Quarantine(tmp_path / "quarantined")
    quarantine.check()
    quarantine.failed("slow")
    quarantine.passed()
    quarantine.failed("slow")
    assert not quarantine.holds
    quarantine.failed("memory lost")
    assert quarantine.holds
    with pytest.raises(WorkerQuarantined, match="memory lost"):
        quarantine.check()


def test_only_a_jobs_failed_health_check_counts(tmp_path):
    quarantine = Quarantine(tmp_path / "quarantined")
    with pytest.raises(UnhealthyDeviceError), quarantine.minding():
        raise UnhealthyDeviceError("slow")
    with pytest.raises(TransientError), quarantine.minding():
        raise TransientError("no network")
    assert quarantine.failures == 1
    with quarantine.minding():
        pass
    assert quarantine.failures == 0
    for _ in range(2):
        with pytest.raises(UnhealthyDeviceError), quarantine.minding():
            raise UnhealthyDeviceError("slow")
    assert quarantine.holds


def test_a_restart_does_not_lift_it_and_an_operator_does(tmp_path):
    path = tmp_path / "quarantined"
    for _ in range(2):
        (first := Quarantine(path)).failures = 1
        first.failed("slow")
    with pytest.raises(WorkerQuarantined, match=f"remove {path}"):
        Quarantine(path).check()
    path.unlink()
    Quarantine(path).check()
