from quasar_core.judge.jobs import SandboxChoice
from quasar_core.worker.referee import sandbox_choice
from quasar_core.worker.settings import WorkerSettings


def test_a_referee_is_told_the_workers_sandbox(tmp_path):
    settings = WorkerSettings(
        state_directory=tmp_path,
        sandbox_backend="docker",
        sandbox_image="judge",
        allow_degraded=True,
    )
    assert sandbox_choice(settings) == SandboxChoice(
        backend="docker", allow_degraded=True, image="judge", production=False
    )
