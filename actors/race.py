"""A race of connection attempts, one for each address of a host: "happy eyeballs" (RFC 8305).

Attempts start one after the other, the next one as soon as the one before has failed or has had `stagger_s`
seconds. The first that succeeds wins, the others are cancelled.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from itertools import chain, zip_longest
from typing import TypeVar

import trio

STAGGER_S = 0.25
"""RFC 8305, section 5: the recommended delay."""

Connected = TypeVar("Connected", bound=trio.abc.AsyncResource)


def interleaved(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Alternate the families, beginning with that of the first address (RFC 8305, section 4)."""
    if not addresses:
        return ()
    versions = [ipaddress.ip_address(address).version for address in addresses]
    same = [address for address, version in zip(addresses, versions, strict=True) if version == versions[0]]
    other = [address for address in addresses if address not in same]
    return tuple(address for address in chain(*zip_longest(same, other)) if address is not None)


async def race(
    addresses: tuple[str, ...],
    connect: Callable[[str], Awaitable[Connected]],
    *,
    stagger_s: float = STAGGER_S,
) -> Connected:
    """Return the first connection that is made. If none is, raise the `OSError` of the first that failed."""
    if len(addresses) == 1:
        return await connect(addresses[0])
    winners: list[Connected] = []
    errors: list[OSError] = []

    async def attempt(address: str, failed: trio.Event) -> None:
        try:
            connected = await connect(address)
        except OSError as error:
            errors.append(error)
            failed.set()
            return
        winners.append(connected)
        nursery.cancel_scope.cancel(reason="another address won the race")

    try:
        async with trio.open_nursery() as nursery:
            for address in addresses:
                failed = trio.Event()
                nursery.start_soon(attempt, address, failed)
                with trio.move_on_after(stagger_s):
                    await failed.wait()
    except BaseException:
        for connected in winners:
            await trio.aclose_forcefully(connected)
        raise
    for late in winners[1:]:
        await trio.aclose_forcefully(late)
    if winners:
        return winners[0]
    raise errors[0] if errors else OSError("there is no address to connect to")
