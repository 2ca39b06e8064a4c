"""Clients: from which address a request really comes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDED = "x-forwarded-for"
V6_CLIENT_PREFIX = 64
"""Who has one address of IPv6 has the whole /64."""

WIDEST = {4: 16, 6: 32}
"""No ban is wider: whoever wrote it meant something else."""


class Proxies:
    """The proxies in front of this API, whose word on clients counts."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(
            ipaddress.ip_network(one, strict=False) for one in networks
        )

    def client_of(self, scope: Scope) -> str:
        """Whom a request's limits are counted for.

        The peer, unless it is a proxy of ours: then the last address of
        X-Forwarded-For that is none. Whatever stands before that one, the
        client may have written himself.
        """
        peer = scope.get("client")
        client = parse_address(peer[0]) if peer else None
        if client is None:
            return str(peer[0])[:64] if peer else "local"
        chain = Headers(scope=scope).getlist(FORWARDED)
        for sent in reversed(",".join(chain).split(",")):
            if not self._trusted(client):
                break
            before = parse_address(sent)
            if before is None:
                break
            client = before
        return client_name(client)

    def _trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def parse_address(text: str) -> Address | None:
    """The address that a text is, with IPv4 never dressed as IPv6."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.scope_id is not None:
            return ipaddress.IPv6Address(int(address))
    return address


def client_name(address: Address) -> str:
    """One client's name: its address, or its /64."""
    if address.version == 4:
        return str(address)
    whole = (int(address), V6_CLIENT_PREFIX)
    return str(ipaddress.IPv6Network(whole, strict=False))


def network_of(text: str) -> Network | None:
    """The network that a text names, no narrower than a client.

    None for what is no network, or is wider than any ban.
    """
    address = parse_address(text)
    if address is not None:
        return ipaddress.ip_network(client_name(address))
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    if network.prefixlen < WIDEST[network.version]:
        return None
    if network.version == 6 and network.prefixlen > V6_CLIENT_PREFIX:
        return network.supernet(new_prefix=V6_CLIENT_PREFIX)
    return network
