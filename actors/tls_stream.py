"""TLS over one connection, either side of it.

How this works: OpenSSL reads and writes memory, and what is in it goes through the connection. trio's own stream can only
end both directions at once, has no socket to ask for its peer, and costs twice as much; here one direction can be closed
while the other is read on, so that a last answer is not lost to a reset, the connection looks like any other one, and
whoever has read from its socket may have that decrypted (`feed`).
"""

import math
import ssl
from contextlib import suppress
from typing import Any

import trio

from actors.sockets import READ_BYTES, plain_socket, read, write_now

_PIECE_BYTES = 262_144
"""So much is encrypted before it is sent: a large body is not in memory twice."""


class TlsStream(trio.abc.HalfCloseableStream):
    """Encrypts what is sent and decrypts what is received, after `handshake`.

    It is the server's side unless the name of a server is given; a client may go on with a `session` of that server.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        context: ssl.SSLContext,
        *,
        server_hostname: str | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self.transport_stream = stream
        self.socket: Any = getattr(stream, "socket", None)
        self._plain = plain_socket(stream)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server_hostname is None,
            server_hostname=server_hostname,
            session=session,
        )
        self._sending = trio.Lock()
        self._has_said_end = False
        self._has_heard_end = False
        self._broken: str | None = None
        self._unsent = b""

    def __repr__(self) -> str:
        return f"<TlsStream {self._tls.version()}, {self.protocol or 'no protocol agreed'}>"

    @property
    def protocol(self) -> str | None:
        """What was agreed on by ALPN."""
        return self._tls.selected_alpn_protocol()

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later handshake with the same server may go on with."""
        return self._tls.session

    @property
    def was_resumed(self) -> bool:
        """True when the handshake went on with a session."""
        return bool(self._tls.session_reused)

    async def handshake(self) -> None:
        """Shake hands; raise `ssl.SSLError` when the other side does it wrong, having told it so."""
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
        """Return what has come, all records of one read; b"" at the end, also at one that the other side did not announce."""
        limit_bytes = READ_BYTES if max_bytes is None else max_bytes
        if self._broken is not None:
            raise trio.BrokenResourceError(self._broken)
        if self._tls.pending():
            await trio.lowlevel.checkpoint()
        while not self._has_said_end:
            try:
                data = self._tls.read(limit_bytes)
                return self._read_on(data, limit_bytes) if self._incoming.pending else data
            except ssl.SSLWantReadError:
                if not self._unsent:  # else who sends does it, and whoever reads does not wait for that
                    await self._flush()
                await self._take()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as error:
                raise trio.BrokenResourceError(str(error)) from None
        return await self._next()

    @property
    def is_settled(self) -> bool:
        """True when all that came was decrypted and returned, and there is nothing to be sent: only then `feed`."""
        is_empty = not (self._tls.pending() or self._incoming.pending or self._outgoing.pending or self._unsent)
        return is_empty and not self._has_heard_end and self._broken is None

    def feed(self, data: bytes) -> bytes:
        """Decrypt what somebody else has read from the socket, b"" at its end; return what that comes to.

        What is not to be had without waiting, an end among it, and what is wrong behind bytes that are right, is left
        for `receive_some`: when it `is_settled` no more, or nothing was read, that is to be asked. Raises
        `trio.BrokenResourceError`.
        """
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        data = self._read_on(b"", math.inf)
        if self._broken is not None and not data:
            raise trio.BrokenResourceError(self._broken) from None
        return data

    def _read_on(self, data: bytes, limit_bytes: float) -> bytes:
        """Return these bytes and what else is to be decrypted of what came, up to a limit; note an end, and what is wrong."""
        parts, room = [data] if data else [], limit_bytes - len(data)
        try:
            while room > 0:
                part = self._tls.read(READ_BYTES if room > READ_BYTES else int(room))
                if not part:
                    # The other side has said that nothing follows: nothing but b"" is read from now on.
                    self._has_heard_end = True
                    break
                parts.append(part)
                room -= len(part)
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self._has_heard_end = True
        except ssl.SSLError as error:
            self._broken = str(error)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _take(self) -> None:
        data = await self._next()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _next(self) -> bytes:
        try:
            return await read(self.transport_stream, self._plain)
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from None

    @property
    def owes(self) -> bool:
        """True while something of what `send_now` took is still here: it is sent by `send_all`, before anything else."""
        return bool(self._unsent)

    def send_now(self, data: bytes) -> int:
        """Send as far as the system takes it without waiting; return how much needs not be given again.

        For who is the only one that sends. What is wrong with the connection `send_all` finds out. Raises
        `trio.BrokenResourceError` when TLS is broken.
        """
        view, at = memoryview(data), 0
        while self._plain is not None and at < len(view) and not self._unsent:
            piece = view[at : at + _PIECE_BYTES]
            try:
                self._tls.write(piece)
            except ssl.SSLError as error:
                raise trio.BrokenResourceError(str(error)) from None
            at += len(piece)
            written = self._outgoing.read()
            try:
                sent = write_now(self._plain, written)
            except OSError:
                sent = 0
            self._unsent = written[sent:]
        return at

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; raise `trio.BrokenResourceError` when the other side is gone."""
        if self._unsent:
            await self._flush()
        view = memoryview(data)
        for start in range(0, len(view), _PIECE_BYTES):
            try:
                self._tls.write(view[start : start + _PIECE_BYTES])
            except ssl.SSLError as error:
                raise trio.BrokenResourceError(str(error)) from None
            await self._flush()

    async def _flush(self) -> None:
        """Send what OpenSSL has written; reading can make it write, too, so that two may want to at one time."""
        if not (self._outgoing.pending or self._unsent):
            return
        try:
            self._sending.acquire_nowait()
        except trio.WouldBlock:
            await self._sending.acquire()
        try:
            data, self._unsent = self._unsent + self._outgoing.read(), b""
            await self._send(data)
        finally:
            self._sending.release()

    async def _send(self, data: bytes) -> None:
        """Send; what the system takes at once needs no turn of the loop."""
        try:
            sent = 0 if self._plain is None else write_now(self._plain, data)
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from None
        if sent < len(data):
            await self.transport_stream.send_all(data[sent:])

    async def wait_send_all_might_not_block(self) -> None:
        """Wait as the connection does."""
        await self.transport_stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Say that nothing follows, in TLS and below it. What is received from now on is not decrypted any more."""
        if not self._has_said_end:
            self._has_said_end = True
            with suppress(ssl.SSLError):  # the other side has not said so as well, and need not
                self._tls.unwrap()
            await self._flush()
        if isinstance(self.transport_stream, trio.abc.HalfCloseableStream):
            await self.transport_stream.send_eof()

    async def aclose(self) -> None:
        """Close the connection."""
        await self.transport_stream.aclose()
