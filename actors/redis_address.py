"""Where a Redis or Valkey server is, and who asks it. Pure."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

DEFAULT_PORT = 6379
MAX_DATABASE = 65_535


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A host and a port, or the `path` of a Unix socket. `tls` is spoken with a peer that is verified."""

    host: str = ""
    port: int = DEFAULT_PORT
    path: str = ""
    tls: bool = False
    database: int = 0
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> "RedisAddress":
        """Read "redis://user:password@host:port/database"; raise `ValueError` for what is none.

        `rediss://` is TLS; `unix:///path` is a Unix socket, whose database is in the query: `?db=1`.
        """
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if parts.scheme == "unix":
            if not parts.path.startswith("/") or parts.hostname or parts.fragment:
                raise ValueError("a Unix socket is written as unix:///run/redis.sock")
            number = parts.query.removeprefix("db=")
            return cls(path=unquote(parts.path), database=_database(number), user=user, password=password)
        if parts.scheme not in ("redis", "rediss"):
            raise ValueError(f"the scheme is redis, rediss or unix, and not {parts.scheme!r}")
        if not parts.hostname or parts.query or parts.fragment or parts.port == 0:
            raise ValueError("a server is written as redis://host:port/database")
        number = parts.path.removeprefix("/")
        port = DEFAULT_PORT if parts.port is None else parts.port
        return cls(parts.hostname, port, "", parts.scheme == "rediss", _database(number), user, password)

    def __str__(self) -> str:
        """Return the URL without user and password."""
        if self.path:
            return f"unix://{self.path}" + (f"?db={self.database}" if self.database else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{host}:{self.port}/{self.database}"


def _database(written: str) -> int:
    if not written:
        return 0
    if not written.isascii() or not written.isdecimal() or int(written) > MAX_DATABASE:
        raise ValueError(f"a database is a number up to {MAX_DATABASE}")
    return int(written)
