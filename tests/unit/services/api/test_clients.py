import ipaddress

import pytest

from services.api.clients import Proxies, network_of, parse_address


def scope(peer, *forwarded):
    return {
        "type": "http",
        "client": peer and (peer, 5_000),
        "headers": [(b"x-forwarded-for", one.encode()) for one in forwarded],
    }


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        # nobody in front of us is trusted with another's name
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("203.0.113.7", [], "203.0.113.7"),
        # a proxy of ours is; what stands before its word is the client's own
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["not an address"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, junk, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [","], "10.0.0.1"),
        # one client, however it is spelled
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        ("testclient", ["198.51.100.1"], "testclient"),
        (None, ["198.51.100.1"], "local"),
    ],
)
def test_a_client_is_the_peer_or_whom_a_proxy_of_ours_names(
    peer, forwarded, client
):
    proxies = Proxies(["10.0.0.0/24"])
    assert proxies.client_of(scope(peer, *forwarded)) == client


def test_without_proxies_nobody_is_believed():
    assert Proxies().client_of(scope("10.0.0.1", "1.2.3.4")) == "10.0.0.1"


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        (" 203.0.113.7 ", "203.0.113.7/32"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.9/24", "203.0.113.0/24"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::/96", "2001:db8::/64"),
        ("2001:db8::/48", "2001:db8::/48"),
        ("0.0.0.0/0", None),
        ("10.0.0.0/8", None),
        ("::/0", None),
        ("everybody", None),
        ("", None),
    ],
)
def test_a_ban_names_a_client_or_a_network_that_is_not_the_world(
    text, network
):
    found = network_of(text)
    assert found == (network and ipaddress.ip_network(network))


def test_no_text_is_taken_for_an_address_that_it_is_not():
    assert parse_address("1.2.3") is None
    assert parse_address("1.2.3.4:80") is None
