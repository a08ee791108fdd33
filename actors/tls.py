"""TLS as a client speaks it to one origin: whom it trusts, and the session that the next handshake goes on with.

How this works. A server gives tickets with which a later handshake needs no certificate and half the arithmetic
(RFC 8446, 2.2). With TLS 1.3 they come after the handshake, with the first bytes of an answer, so that they are
looked for when a connection has carried its first exchange. The newest is kept; a server that does not know it
any more makes a whole handshake of it, without a word. The peer was verified when the session was made, and the
session is used for no other origin and no other context.
"""

import ssl

import trio

from actors.tls_stream import TlsStream


class Tls:
    """The TLS of one origin. `resumed` counts the handshakes that went on with a session."""

    __slots__ = ("_session", "context", "resumed")

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.resumed = 0
        self._session: ssl.SSLSession | None = None

    def __repr__(self) -> str:
        return f"<Tls {'with' if self._session else 'without'} a session, {self.resumed} resumed>"

    def protocol(self, stream: trio.abc.Stream) -> str | None:
        """Return what both sides agreed to speak (ALPN), if they did."""
        return stream.protocol if isinstance(stream, TlsStream) else None

    async def secured(self, stream: trio.abc.Stream, server_hostname: str) -> trio.abc.Stream:
        """Return the stream with TLS over it and the handshake done; it is closed when that fails.

        Raises `trio.BrokenResourceError`, most often because of an `ssl.SSLError`.
        """
        secure = TlsStream(stream, self.context, server_hostname=server_hostname, session=self._session)
        try:
            await _shake_hands(secure)
        except BaseException:
            self._session = None
            await trio.aclose_forcefully(stream)
            raise
        self.resumed += secure.was_resumed
        return secure

    def keep_session(self, stream: trio.abc.Stream) -> None:
        """Keep the session of a connection for the next one, if its server has given a ticket or a name for it."""
        session = stream.session if isinstance(stream, TlsStream) else None
        if session is not None and (session.has_ticket or session.id):
            self._session = session


async def _shake_hands(secure: TlsStream) -> None:
    try:
        await secure.handshake()
    except ssl.SSLError as error:
        raise trio.BrokenResourceError from error


def client_tls(*, http2: bool = False) -> ssl.SSLContext:
    """Return a context that verifies its peer and offers HTTP/1.1, or HTTP/2 before it.

    It costs 20 ms to make: share it.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    return context
