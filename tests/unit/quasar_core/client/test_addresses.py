import httpx2
import pytest
from quasar_core.client.addresses import checked_url, never_arrived
from quasar_core.client.answers import ApiUnavailable


@pytest.mark.parametrize("text", ["", "host:1", "ftp://host", "/x"])
def test_what_is_no_address_of_an_api_is_refused_with_an_example(text):
    with pytest.raises(ApiUnavailable):
        checked_url(text)
    assert checked_url("http://127.0.0.1:8000").host == "127.0.0.1"


def test_what_was_never_connected_never_arrived():
    assert never_arrived(httpx2.ConnectError("refused"))
    assert not never_arrived(httpx2.ReadTimeout("too late"))
