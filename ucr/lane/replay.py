"""A connection that is handed over: what was already read comes first."""

from typing import Any

import trio


class ReplayStream(trio.abc.HalfCloseableStream):
    """Gives `data` before what the stream `below` gives; all else is the stream's own."""

    def __init__(self, data: bytes, stream: trio.abc.HalfCloseableStream) -> None:
        self._data = data
        self._stream = self.below = stream
        self.socket: Any = getattr(stream, "socket", None)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return the next bytes."""
        if not self._data:
            return await self._stream.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        end = len(self._data) if max_bytes is None else max_bytes
        data, self._data = self._data[:end], self._data[end:]
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send as the stream does."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait as the stream does."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Close one direction of the stream."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()
