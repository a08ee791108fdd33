"""The admin routes' view of a router with a store: what all controls say, and the store beside it."""

from dataclasses import replace

import msgspec
import trio

from ucr.control import Control, ReloadResult
from ucr.store_spec import StoreAddress
from ucr.store_wire import STATUS_GREETING
from ucr.views import Gathered, StoreView

STATUS_S = 0.25
_LIMIT_BYTES = 1024 * 1024


class StoreControl:
    """Another control, which also asks the store for its view."""

    def __init__(self, inner: Control, address: StoreAddress) -> None:
        self._inner = inner
        self._address = address

    async def gather(self) -> Gathered:
        """Return the views of all workers and of the store; a store that does not answer is left out."""
        return replace(await self._inner.gather(), store=await store_view(self._address.path))

    async def reload(self) -> ReloadResult:
        """Read the configuration again."""
        return await self._inner.reload()

    async def clear_cache(self, tag: str | None = None) -> int:
        """Empty the cache, or the caches, or forget what has a tag."""
        return await self._inner.clear_cache(tag)


def with_store(control: Control, address: StoreAddress | None) -> Control:
    """Return the control that a worker needs."""
    return control if address is None else StoreControl(control, address)


async def store_view(path: str) -> StoreView | None:
    """Return what the store at this path says of itself; None when it does not."""
    said = bytearray()
    with trio.move_on_after(STATUS_S) as scope:
        try:
            async with await trio.open_unix_socket(path) as stream:
                await stream.send_all(STATUS_GREETING)
                while (data := await stream.receive_some()) and len(said) < _LIMIT_BYTES:
                    said += data
        except (OSError, trio.BrokenResourceError):
            return None
    if scope.cancelled_caught:
        return None
    try:
        return msgspec.json.decode(said[1:], type=StoreView)
    except msgspec.MsgspecError:
        return None
