from pathlib import Path

from quasar_core.execution.limits import Limits
from quasar_core.judge.image import (
    RUNNER,
    TREE,
    empty_job,
    kernel_job,
    runner_path,
)

LIMITS = Limits(pids=7)


def test_a_kernel_sees_its_tree_the_runner_and_nothing_of_ours(tmp_path):
    job = kernel_job(tmp_path, 9, LIMITS, 3)
    targets = {mount.target: mount.source for mount in job.mounts}
    assert targets[TREE] == tmp_path
    assert targets[RUNNER] == runner_path()
    names = {str(target) for target in targets}
    assert not any("quasar" in name for name in names)
    assert "/opt/site/torch" in names
    assert job.argv[-2:] == ("9", str(TREE))
    assert job.pass_fds == (9,)
    assert job.limits is LIMITS
    assert job.environment["OMP_NUM_THREADS"] == "3"


def test_the_empty_candidate_has_neither_tree_nor_torch():
    job = empty_job(9, LIMITS)
    targets = {str(mount.target) for mount in job.mounts}
    assert str(TREE) not in targets
    assert not any(target.startswith("/opt/site") for target in targets)
    assert job.argv[-1] == "9"


def test_the_runner_is_a_file_of_its_own():
    assert runner_path() == Path(runner_path()).resolve()
    assert (
        "quasar_core" not in runner_path().read_text("utf-8").split('"""')[2]
    )
