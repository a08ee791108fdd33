"""The server's side of TLS over one connection.

How this works: OpenSSL reads and writes memory, and what is in it goes through the connection. trio's own stream
can only end both directions at once and has no socket to ask for its peer; here one direction can be closed while
the other is read on, so that a last answer is not lost to a reset, and the connection looks like any other one.
"""

import ssl
from contextlib import suppress
from typing import Any

import trio

from ucr.reading import READ_BYTES, read
from ucr.writing import plain_socket, write_now


class TlsStream(trio.abc.HalfCloseableStream):
    """Encrypts what is sent and decrypts what is received, after `handshake`."""

    def __init__(self, stream: trio.abc.HalfCloseableStream, context: ssl.SSLContext) -> None:
        self._stream = stream
        self.socket: Any = stream.socket  # type: ignore[attr-defined]
        self._plain = plain_socket(stream)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._sending = trio.Lock()
        self._has_said_end = False

    def __repr__(self) -> str:
        return f"<TlsStream {self._tls.version()}, {self.protocol or 'no protocol agreed'}>"

    @property
    def protocol(self) -> str | None:
        """What was agreed on by ALPN."""
        return self._tls.selected_alpn_protocol()

    async def handshake(self) -> None:
        """Shake hands; raise `ssl.SSLError` when the client does it wrong, having told it so."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._take()
            except ssl.SSLError:
                await self._flush()
                raise
            else:
                return await self._flush()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return what has come; b"" at the end, also at one that the client did not announce."""
        if self._tls.pending():
            await trio.lowlevel.checkpoint()
        while not self._has_said_end:
            try:
                return self._tls.read(READ_BYTES if max_bytes is None else max_bytes)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._take()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as error:
                raise trio.BrokenResourceError(str(error)) from None
        return await self._next()

    async def _take(self) -> None:
        data = await self._next()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _next(self) -> bytes:
        try:
            return await read(self._stream, self._plain)
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; raise `trio.BrokenResourceError` when the client is gone."""
        try:
            if data:
                self._tls.write(data)
        except ssl.SSLError as error:
            raise trio.BrokenResourceError(str(error)) from None
        await self._flush()

    async def _flush(self) -> None:
        """Send what OpenSSL has written; reading can make it write, too, so that two may want to at one time."""
        if not self._outgoing.pending:
            return
        try:
            self._sending.acquire_nowait()
        except trio.WouldBlock:
            await self._sending.acquire()
        try:
            await self._send(self._outgoing.read())
        finally:
            self._sending.release()

    async def _send(self, data: bytes) -> None:
        """Send; what the system takes at once needs no turn of the loop."""
        try:
            sent = 0 if self._plain is None else write_now(self._plain, data)
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from None
        if sent < len(data):
            await self._stream.send_all(data[sent:])

    async def wait_send_all_might_not_block(self) -> None:
        """Wait as the connection does."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Say that nothing follows, in TLS and below it. What is received from now on is not decrypted any more."""
        if not self._has_said_end:
            self._has_said_end = True
            with suppress(ssl.SSLError):  # the client has not said so as well, and need not
                self._tls.unwrap()
            await self._flush()
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()
