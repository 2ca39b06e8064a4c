from quasar_core.messaging.topology import RECORDING
from structlog.testing import capture_logs

from services.api.recorder import make_consumer
from tests.support.wallets import address


def test_with_registered_workers_only_they_are_heard(sqlite_world):
    doors = sqlite_world.doors
    with capture_logs() as logs:
        consumer = make_consumer(doors)
    assert consumer.queue == RECORDING
    assert consumer._gate._verify is None
    assert [row["event"] for row in logs] == ["recorder.hears_anybody"]

    from dataclasses import replace

    settings = doors.settings.model_copy(
        update={"worker_hotkeys": {"w": address("w")}}
    )
    with capture_logs() as logs:
        strict = make_consumer(replace(doors, settings=settings))
    assert strict._gate._verify is not None
    assert logs == []
