"""A broker that is away is told with its variable."""

from quasar_core.doctor.broker import check_broker
from quasar_core.settings import CoreSettings

from tests.support.valkey import free_port


def test_a_broker_that_is_away_is_told_with_its_variable(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    url = f"redis://127.0.0.1:{free_port()}/0"
    (found,) = check_broker(CoreSettings(redis_url=url))
    assert found.ok is False
    assert "QUASAR_REDIS_URL" in found.fix
