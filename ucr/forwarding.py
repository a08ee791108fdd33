"""Who asks, when a proxy stands between: what trusted proxies say of it, and what nobody else may say.

How this works: each proxy adds the address from which a request came to it at the right end of a list. So the
list is read from the right, beginning with the connection's own peer, for as long as an address is that of a
trusted proxy; the first that is not is the client's. What stands further left is the client's own invention.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from ucr.dialects.roles import Headers

_HOPS = 20
"""So many proxies are believed one after the other."""

_NODE = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9.]{7,15}))(?::[0-9]{1,5})?|([0-9A-Fa-f:.]{2,45})")
_FOR = re.compile(r'(?:^|;)[ \t]*for=("?)([^";,]*)\1[ \t]*(?:;|$)', re.IGNORECASE)


class Proxies:
    """The networks whose forwarding headers are believed."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks = tuple(ip_network(network, strict=False) for network in networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __repr__(self) -> str:
        return f"<Proxies {', '.join(map(str, self._networks))}>"

    def are_at(self, address: str) -> bool:
        """Whether this address is that of a trusted proxy."""
        found = _address(address)
        return found is not None and any(found in network for network in self._networks)

    def client_of(self, peer: str, headers: Headers) -> str:
        """Return the address of the client whose request came from `peer`.

        Where both kinds of header say something, and not the same, neither is believed: a proxy adds to one of them
        and lets the client's own words through in the other.
        """
        if not self.are_at(peer):
            return peer
        said = {
            self._first_foreign(peer, nodes)
            for name, nodes in (
                ("x-forwarded-for", _plain_nodes(headers.get("x-forwarded-for", ""))),
                ("forwarded", _forwarded_nodes(headers.get("forwarded", ""))),
            )
            if name in headers
        }
        return said.pop() if len(said) == 1 else peer

    def _first_foreign(self, peer: str, nodes: Iterator[str]) -> str:
        client = peer
        for node in nodes:
            address = _address_of(node)
            if address is None:
                break
            client = address
            if not self.are_at(client):
                break
        return client


def _plain_nodes(value: str) -> Iterator[str]:
    for item in reversed(value.rsplit(",", _HOPS)[-_HOPS:]):
        yield item.strip(" \t")


def _forwarded_nodes(value: str) -> Iterator[str]:
    """Give who is named by each element (RFC 7239, 4 and 6), the last one first; "" for one that names nobody."""
    for item in _plain_nodes(value):
        match = _FOR.search(item)
        yield "" if match is None else match[2]


def _address_of(node: str) -> str | None:
    """Return the address of a node, with or without a port; None for one that hides it."""
    match = _NODE.fullmatch(node)
    if match is None:
        return None
    address = _address(match[1] or match[2] or match[3])
    return None if address is None else str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
