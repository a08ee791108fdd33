"""Names to addresses, kept for a while, and never to an address that an upstream cannot have."""

import ipaddress
from collections.abc import Callable
from typing import Protocol

import trio
from cachetools import TTLCache

from actors.errors import PoolError

Addresses = tuple[str, ...]

_METADATA = frozenset(
    ipaddress.ip_address(address) for address in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")
)
"""Metadata services of cloud machines that are not at a link-local address: AWS over IPv6, Alibaba, Azure."""


class Resolver(Protocol):
    """Anything that knows the addresses of a host."""

    async def resolve(self, host: str) -> Addresses:
        """Return the addresses in the order in which to try them; raise `OSError` if there is none."""
        ...


class SystemResolver:
    """The system's own resolver, in a thread, as Trio runs it."""

    async def resolve(self, host: str) -> Addresses:
        try:
            found = await trio.socket.getaddrinfo(host, None, type=trio.socket.SOCK_STREAM)
        except ValueError as error:
            raise OSError(f"{host!r} is no name of a host: {error}") from error
        return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class CachedResolver:
    """Keeps what another resolver found; failures are not kept."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        max_entries: int = 500,
        life_s: float = 300.0,
        clock: Callable[[], float] = trio.current_time,
    ) -> None:
        self._resolver = resolver
        self._found: TTLCache[str, Addresses] = TTLCache(max_entries, life_s, timer=clock)

    def __repr__(self) -> str:
        return f"<CachedResolver {len(self._found)}/{self._found.maxsize} names>"

    async def resolve(self, host: str) -> Addresses:
        """Return what is known and fresh, else ask."""
        addresses = self._found.get(host)
        if addresses is None:
            addresses = self._found[host] = await self._resolver.resolve(host)
        return addresses


def allowed(host: str, addresses: Addresses) -> Addresses:
    """Return the addresses that may be connected to; raise `PoolError` if none is left.

    Link-local addresses and those of metadata services give credentials to whoever asks from the machine, and
    no upstream lives there. The check is made on the addresses that are then used, so that a name cannot change
    its mind in between.
    """
    safe = tuple(address for address in addresses if not _is_forbidden(address))
    if not safe:
        shown = ", ".join(addresses) or "nothing"
        raise PoolError(
            "connect", f"{host!r} resolves to {shown}, which is no place for an upstream", phase="connect"
        )
    return safe


def _is_forbidden(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_link_local or ip in _METADATA
