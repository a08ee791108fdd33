"""TLS for those who connect: the certificate of the configuration, read again when its files have changed.

How this works: a renewed certificate lies in the same files, so that no change of the configuration tells of it.
The files are looked at before a handshake, every ten seconds at most. As long as they cannot be used, one of two
that belong together may be there already, the certificate that was read before is shown. Only HTTP/1.1 is offered:
a client that speaks nothing but HTTP/2 agrees on nothing, and is told 505.
"""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio

from actors.tls_stream import TlsStream
from ucr.config.model import Config
from ucr.errors import ConfigError, Problem
from ucr.watch import signature_of

HANDSHAKE_S = 10.0
LOOK_S = 10.0
_FAREWELL_S = 1.0
_PLAIN_BODY = (
    b'{"type":"error","error":{"type":"invalid_request_error","message":"this port speaks TLS; use https://"}}'
)
_PLAIN = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_PLAIN_BODY), _PLAIN_BODY)
)


def check(config: Config) -> None:
    """Raise `ConfigError` when TLS is configured and cannot be spoken."""
    if config.server.tls_cert is not None:
        context_of(config)


def context_of(config: Config) -> ssl.SSLContext:
    """Return a context with the configured certificate; raise `ConfigError` with a remedy."""
    certificate, key = config.server.tls_cert or "", config.server.tls_key or ""
    texts = {name: _text(config, name, place) for name, place in (("tls_cert", certificate), ("tls_key", key))}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        name, remedy = _fault_of(texts, error)
        raise _unusable(config, name, certificate if name == "tls_cert" else key, remedy) from None
    return context


def pinned_to(certificate: str) -> ssl.SSLContext:
    """Return a context for clients on this machine: it trusts the certificate in this file, whatever name it has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(certificate)
    return context


def _text(config: Config, name: str, place: str) -> str:
    try:
        return Path(place).read_text("latin-1")
    except (OSError, ValueError) as error:
        why = (
            f"cannot be read: {getattr(error, 'strerror', None) or error}; name a file that the router may read"
        )
        raise _unusable(config, name, place, why) from None


def _fault_of(texts: dict[str, str], error: Exception) -> tuple[str, str]:
    """Return the key of the file that is at fault, and what helps."""
    if "-----BEGIN CERTIFICATE-----" not in texts["tls_cert"]:
        return "tls_cert", "holds no certificate; name a PEM file with the whole chain, the server's own first"
    if "PRIVATE KEY-----" not in texts["tls_key"]:
        return "tls_key", "holds no private key; name a PEM file with the key of the certificate"
    if "ENCRYPTED" in texts["tls_key"]:
        return "tls_key", "is encrypted; write the key without a passphrase, readable by its owner alone"
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return "tls_key", "is not the key of the certificate in tls_cert; name the one that it was made with"
    return "tls_cert", f"cannot be used: {error}; name a PEM file with the whole chain, and its key in tls_key"


def _unusable(config: Config, name: str, place: str, remedy: str) -> ConfigError:
    return ConfigError((Problem(config.source, f"server.{name}", place, remedy),))


class Tls:
    """Speaks TLS with clients. `report` gets a `ConfigError` when changed files cannot be used."""

    def __init__(self, config: Config, report: Callable[[BaseException], None]) -> None:
        self._config = config
        self._report = report
        self._seen = self._signatures()
        self._context = context_of(config)
        self._looked_at = trio.current_time()

    def __repr__(self) -> str:
        return f"<Tls with {self._config.server.tls_cert}>"

    def _signatures(self) -> tuple[object, object]:
        return signature_of(self._config.server.tls_cert), signature_of(self._config.server.tls_key)

    def context(self) -> ssl.SSLContext:
        """Return the context of the newest certificate that can be used."""
        now = trio.current_time()
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            if (seen := self._signatures()) != self._seen:
                self._seen = seen
                try:
                    self._context = context_of(self._config)
                except ConfigError as error:
                    self._report(error)
        return self._context

    async def secured(self, stream: Any) -> TlsStream:
        """Return the connection with TLS over it; raise `OSError` or `trio.BrokenResourceError` when it fails."""
        secure = TlsStream(stream, self.context())
        with trio.move_on_after(HANDSHAKE_S):
            try:
                await secure.handshake()
            except ssl.SSLError as error:
                if error.reason == "HTTP_REQUEST":
                    await _tell_plain(stream)
                raise
            return secure
        raise trio.BrokenResourceError("the client did not shake hands in time")


async def _tell_plain(stream: Any) -> None:
    """Answer who speaks plain HTTP to a port with TLS, in plain HTTP."""
    with trio.move_on_after(_FAREWELL_S):
        await stream.send_all(_PLAIN)
        await stream.send_eof()
        while await stream.receive_some(65_536):
            pass
