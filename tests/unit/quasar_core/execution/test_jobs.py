from dataclasses import replace
from pathlib import Path

import pytest
from quasar_core.execution.jobs import check_job
from quasar_core.execution.sandbox import Job, Mount

JOB = Job(argv=("/bin/true",))


@pytest.mark.parametrize(
    "job",
    [
        replace(JOB, argv=()),
        replace(JOB, argv=("/bin/true", "a\0b")),
        replace(JOB, pass_fds=(1,)),
        replace(JOB, environment={"A=B": "c"}),
        replace(JOB, environment={"": "c"}),
        replace(JOB, environment={"A": "b\0c"}),
        replace(JOB, mounts=(Mount(Path("/usr"), Path("usr")),)),
        replace(JOB, mounts=(Mount(Path("/usr"), Path("/a/../b")),)),
        replace(JOB, mounts=(Mount(Path("/not/there"), Path("/a")),)),
    ],
)
def test_a_job_that_no_sandbox_could_run_is_refused(job):
    with pytest.raises(ValueError, match=r"\w"):
        check_job(job, others=False)


@pytest.mark.parametrize("mode", [0o700, 0o704, 0o750])
def test_a_mount_that_the_payload_could_not_enter_is_refused(tmp_path, mode):
    tmp_path.chmod(mode)
    job = replace(JOB, mounts=(Mount(tmp_path, Path("/opt/tree")),))
    with pytest.raises(ValueError, match="chmod"):
        check_job(job, others=True)
    check_job(job, others=False)
