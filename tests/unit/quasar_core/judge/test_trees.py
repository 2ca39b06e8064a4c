import pytest
from quasar_core.errors import RejectionCode, TransientError
from quasar_core.judge.faults import KernelFault
from quasar_core.judge.image import TREE
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.trees import kernel_jobs, unblamed


def test_a_job_serves_the_tree_that_was_written_for_it(tmp_path):
    settings = JudgeSettings(pids=99)
    job = kernel_jobs(tmp_path / "a", {"__init__.py": b"x\n"}, settings)(7)
    [tree] = [m.source for m in job.mounts if m.target == TREE]
    assert (tree / "fla/ops/quasar/__init__.py").read_bytes() == b"x\n"
    assert job.limits.pids == 99
    assert job.pass_fds == (7,)


def test_the_trusted_kernels_fault_is_the_worlds():
    def fails():
        raise KernelFault(RejectionCode.TIME_LIMIT, "late")

    with pytest.raises(TransientError, match="trusted kernel"):
        unblamed(fails)
    assert unblamed(lambda: 3) == 3
