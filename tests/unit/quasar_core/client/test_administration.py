import pytest
from pydantic import ValidationError
from quasar_core.client.administration import AdminClient
from quasar_core.client.api import UnsignedClient
from quasar_core.contracts.http import BanKind


def test_nothing_is_ordered_without_a_key_or_a_reason():
    with AdminClient("http://127.0.0.1:1") as client:
        with pytest.raises(UnsignedClient):
            client.open_round("a good reason")
        with pytest.raises(UnsignedClient):
            client.config()
        with pytest.raises(ValidationError):
            client.ban(BanKind.HOTKEY, "x", "")
