"""Certificates for listeners with TLS, as files, and clients that trust them."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trio
import trustme


@dataclass(frozen=True, slots=True)
class Files:
    """A certificate chain and its key."""

    cert: Path
    key: Path

    def write(self, authority: trustme.CA, name: str = "localhost") -> "Files":
        """Put a new certificate where the old one was."""
        issued = authority.issue_cert(name)
        self.cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        self.key.write_bytes(issued.private_key_pem.bytes())
        return self


def files_in(folder: Path, authority: trustme.CA) -> Files:
    """Return files with a certificate for `localhost`."""
    return Files(folder / "cert.pem", folder / "key.pem").write(authority)


def client_context(authority: trustme.CA, *protocols: str) -> ssl.SSLContext:
    """Return a context that trusts the authority, and offers these protocols by ALPN."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


async def encrypted(
    stream: trio.abc.Stream, context: ssl.SSLContext, name: str = "localhost"
) -> trio.SSLStream[trio.abc.Stream]:
    """Return a client's stream after the handshake."""
    secure = trio.SSLStream(stream, context, server_hostname=name)
    try:
        await secure.do_handshake()
    except trio.BrokenResourceError:
        await trio.aclose_forcefully(stream)
        raise
    return secure
