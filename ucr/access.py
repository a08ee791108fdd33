"""Who may ask: the checks of Host, Origin and keys that come before everything else.

Each check returns nothing when it passes and raises `ApiError` when it does not. A web page that the user
merely looks at can reach loopback, so names are compared exactly, after parsing, and nothing is guessed.
"""

import hashlib
import hmac
import ipaddress
import re
from urllib.parse import urlsplit

from ucr.config.model import Client, Config
from ucr.dialects.roles import Headers
from ucr.errors import ApiError

OPEN_PATHS = frozenset({"/health", "/ready"})
"""Paths that probes ask by any name: their Host is not checked."""

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
_JSON_TYPE = re.compile(r"(?i:application/(?:[a-z0-9.-]+\+)?json)[ \t]*(?:;.*)?")
_DEFAULT_PORTS = (("http", 80), ("https", 443))


def is_loopback(host: str) -> bool:
    """True for `localhost` and for the addresses of this machine's loopback, with or without brackets."""
    name = host.strip("[]").lower()
    if name == "localhost" or name == "127.0.0.1":
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def is_link_local(host: str) -> bool:
    """True for link-local addresses, of which a cloud's metadata service is one."""
    address = _address(host.strip("[]"))
    return address is not None and address.is_link_local


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def host_of(authority: str) -> str:
    """Return an address without its port; an IPv6 address with a port needs its brackets."""
    match = _HOST.fullmatch(authority)
    return match["name"].strip("[]").lower() if match else authority


def check_host(path: str, headers: Headers, allowed_hosts: tuple[str, ...]) -> None:
    """Refuse a request whose Host is neither loopback nor allowed; `/health` and `/ready` pass."""
    if path in OPEN_PATHS:
        return
    host = headers.get("host", "")
    match = _HOST.fullmatch(host)
    if match is None:
        raise ApiError("invalid_request_error", "the Host header is missing or malformed")
    name = match["name"].lower()
    if not is_loopback(name) and not {name, host.lower()} & {entry.lower() for entry in allowed_hosts}:
        raise ApiError(
            "permission_error",
            f"the host {host[:100]!r} is not allowed; add it to server.allowed_hosts, or use 127.0.0.1",
        )


def check_origin(headers: Headers, allowed_origins: tuple[str, ...]) -> None:
    """Refuse what a foreign web page sends; an Origin passes when it equals the Host, or is allowed."""
    origin = headers.get("origin")
    if origin is None:
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise ApiError("permission_error", "requests from other web sites are not allowed")
        return
    if origin.lower() in {entry.lower().rstrip("/") for entry in allowed_origins}:
        return
    if not is_same_origin(origin, headers.get("host", "")):
        raise ApiError(
            "permission_error",
            f"the origin {origin[:100]!r} is not allowed; add it to server.allowed_origins",
        )


def is_same_origin(origin: str, host: str) -> bool:
    """True when an Origin names the very Host that a request was sent to, port included."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    default = dict(_DEFAULT_PORTS).get(parts.scheme)
    match = _HOST.fullmatch(host)
    if (
        default is None
        or match is None
        or "@" in origin
        or origin.lower() != f"{parts.scheme}://{parts.netloc.lower()}"
    ):
        return False
    return (parts.hostname, port or default) == (
        match["name"].strip("[]").lower(),
        int(match["port"] or default),
    )


def is_json(headers: Headers) -> bool:
    """False for a body that says to be no JSON; what a web page may send without asking first is none (Fetch, 2.2.2).

    A body that says nothing is taken for JSON: a page that sends one is refused for its Origin.
    """
    kind = headers.get("content-type", "application/json")
    return kind == "application/json" or _JSON_TYPE.fullmatch(kind) is not None


def no_json(headers: Headers) -> ApiError:
    """Return the error of a body that says to be no JSON."""
    kind = headers.get("content-type", "")[:100]
    return ApiError("invalid_request_error", f"content-type {kind!r}: send application/json", status=415)


def digest(key: str) -> str:
    """Return the digest under which a key is kept and compared."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def keys_of(headers: Headers) -> tuple[str, ...]:
    """Return the keys that a request brings, in whichever of the three headers."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    brought = (headers.get("x-api-key", ""), bearer, headers.get("x-goog-api-key", ""))
    return tuple(key for key in brought if key)


def check_client(headers: Headers, clients: tuple[Client, ...]) -> Client | None:
    """Return the client whose key the request brings; None when no client is configured.

    Every key is compared, in constant time, so that the time taken tells nothing.
    """
    if not clients:
        return None
    brought = tuple(digest(key) for key in keys_of(headers))
    known = [client for client in clients if _is_among(client.key_sha256, brought)]
    if not known:
        raise _refused(brought, "server")
    return known[0]


def check_model(client: Client | None, model: str) -> None:
    """Refuse a model that a client may not ask for."""
    if client is not None and client.models and not client.may_ask(model):
        raise ApiError(
            "permission_error",
            f"model: the client {client.name!r} may not ask for {model[:200]}; clients.{client.name}.models says for what",
            param="model",
            should_retry=False,
        )


def check_admin(headers: Headers, peer: str, config: Config) -> None:
    """Let through whoever brings the admin key and, where none is set, whoever asks from this machine.

    From this machine means: by a loopback address, under a loopback name, and through no proxy.
    """
    if config.admin_key_sha256 is not None:
        brought = tuple(digest(key) for key in keys_of(headers))
        if not _is_among(config.admin_key_sha256, brought):
            raise _refused(brought, "admin")
        return
    is_direct = not any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip"))
    if not (is_direct and is_loopback(host_of(peer)) and is_loopback(host_of(headers.get("host", "")))):
        raise ApiError("permission_error", "admin routes answer on loopback only; set admin.key to open them")


def _is_among(known: str, brought: tuple[str, ...]) -> bool:
    return sum(hmac.compare_digest(known.lower(), one) for one in brought) > 0


def _refused(brought: tuple[str, ...], whose: str) -> ApiError:
    what = f"the {whose} key is wrong" if brought else f"the {whose} key is missing"
    remedy = "send it as x-api-key or as Authorization: Bearer"
    return ApiError("authentication_error", f"{what}; {remedy}", should_retry=False)
