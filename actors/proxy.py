"""A proxy on the way to an upstream: where it is, who asks it, and what it is asked for. Pure."""

import base64
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from actors.request import Headers, Origin

_PORTS = (("http", 80), ("https", 443), ("socks5", 1080))

Scheme = Literal["http", "https", "socks5"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy is and who asks it. `https` is an HTTP proxy that is itself reached by TLS."""

    scheme: Scheme
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> "Proxy":
        """Read "scheme://user:password@host:port"; raise `ValueError` for what is none. `socks5h` is `socks5`."""
        parts = urlsplit(url)
        scheme = "socks5" if parts.scheme == "socks5h" else parts.scheme
        if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("a proxy is written as http://host:port")
        for known, port in _PORTS:
            if scheme == known:
                user, password = unquote(parts.username or ""), unquote(parts.password or "")
                return cls(scheme, parts.hostname, parts.port or port, user, password)  # type: ignore[arg-type]
        raise ValueError(f"a proxy speaks http, https or socks5, and not {parts.scheme!r}")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def forwards(self, origin: Origin) -> bool:
        """Whether requests go to the proxy itself, in absolute form, and not through a tunnel."""
        return origin.scheme == "http" and self.scheme != "socks5"

    @property
    def headers(self) -> Headers:
        """The fields that say who asks, for a proxy that wants to know."""
        if not self.user:
            return ()
        credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return (("proxy-authorization", f"Basic {credentials}"),)
