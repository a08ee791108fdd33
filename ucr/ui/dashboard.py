"""The dashboard: who may see it, its files, and the data that its page asks for.

How this works. The page is a form and empty tables: where there is an admin key, everybody who reaches the router may
load it. What it shows comes from `/ui/state`, `/ui/requests`, `/ui/request`, `/ui/history` and the live feed at
`/ui/events`, which want the admin key or a session (`ucr.ui.session`). Nothing below `/ui` changes anything.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from ucr import access
from ucr.admin import Page
from ucr.config.model import Config
from ucr.control import Control
from ucr.dialects.roles import HeaderList, Headers
from ucr.errors import ApiError
from ucr.exchange import Exchange
from ucr.jsontext import dumps
from ucr.ui import session
from ucr.ui.assets import SAFETY, Assets, Sent
from ucr.ui.past import Past
from ucr.ui.session import PATH, Sessions
from ucr.ui.state import state_json

EVENTS_PATH = f"{PATH}/events"
ROUTES = (
    ("GET", PATH, "page"),
    ("GET", f"{PATH}/", "page"),
    ("POST", f"{PATH}/session", "admin"),
    ("DELETE", f"{PATH}/session", "page"),
    ("GET", f"{PATH}/state", "session"),
    ("GET", f"{PATH}/requests", "session"),
    ("GET", f"{PATH}/request", "session"),
    ("GET", f"{PATH}/history", "session"),
    ("GET", EVENTS_PATH, "session"),
)
"""Method, path and guard; a path that ends with a slash stands for all that begin with it."""

MOST_REQUESTS = 200
MOST_MINUTES = 31 * 24 * 60
_UNKEPT: HeaderList = (("cache-control", "no-store"), *SAFETY)


class Dashboard:
    """What stands at `/ui`. `unix_time` is the clock of sessions; the journal is in `folder`."""

    def __init__(self, secret: bytes, folder: Path | None, unix_time: Callable[[], float]) -> None:
        self._sessions = Sessions(secret)
        self._assets = Assets()
        self._past = Past(folder)
        self._unix_time = unix_time

    def __repr__(self) -> str:
        return f"<Dashboard of {self._assets!r}>"

    def check(self, guard: str, headers: Headers, peer: str, config: Config) -> None:
        """Let through who may: to a `page` whoever can show a key, to data whoever has shown it. Raise `ApiError` else."""
        if config.admin_key_sha256 is None:
            _check_is_on(config)
        elif guard == "page" or (guard == "session" and self._is_known(headers, config)):
            return
        access.check_admin(headers, peer, config)

    def check_socket(self, headers: Headers, peer: str, config: Config) -> None:
        """Let through who may listen to the live feed from the page."""
        key = config.admin_key_sha256
        if key is None:
            _check_is_on(config)
        elif session.comes_from_origin(headers) and self._sessions.found(headers, key, self._unix_time()):
            return
        access.check_admin(headers, peer, config)

    def _is_known(self, headers: Headers, config: Config) -> bool:
        key = config.admin_key_sha256
        is_page = key is not None and session.comes_from_page(headers)
        return is_page and self._sessions.found(headers, key or "", self._unix_time()) is not None

    async def page(self, exchange: Exchange, control: Control, config: Config) -> Page:
        """Return the answer to a request that was let through."""
        headers, path = exchange.headers, exchange.path
        if path == PATH:
            return _page(self._assets.index(headers))
        if path == f"{PATH}/session":
            return self._session(exchange, config)
        if path == EVENTS_PATH:
            upgrade = (("upgrade", "websocket"),)
            raise ApiError("invalid_request_error", f"{path}: open a WebSocket", status=426, headers=upgrade)
        query = parse_qs(exchange.query)
        if path == f"{PATH}/state":
            return _data(state_json(await control.gather(), config), self._renewal(headers, config))
        if path == f"{PATH}/requests":
            count, errors = _number(query, "count", 100, MOST_REQUESTS), "errors" in query
            return _data({"requests": await self._past.latest(count, errors=errors)})
        if path == f"{PATH}/request":
            return _data({"request": await self._past.one(query.get("id", [""])[-1])})
        if path == f"{PATH}/history":
            minutes = _number(query, "minutes", 60, MOST_MINUTES)
            return _data({"history": await self._past.spans(self._unix_time(), minutes)})
        sent = self._assets.file(path.removeprefix(f"{PATH}/"), headers)
        if sent is None:
            raise ApiError("not_found_error", f"{path[:200]} is not served here", code="unknown_url")
        return _page(sent)

    def _session(self, exchange: Exchange, config: Config) -> Page:
        """Begin a session for one whose key was right, or end it in the browser that asks for that."""
        key, value = config.admin_key_sha256, None
        if exchange.method == "POST" and key is not None:
            value = self._sessions.begun(key, self._unix_time())
        return _data({"signed_in": exchange.method == "POST"}, (_cookie(value, exchange.headers, config),))

    def _renewal(self, headers: Headers, config: Config) -> HeaderList:
        key, now_s = config.admin_key_sha256, self._unix_time()
        found = None if key is None else self._sessions.found(headers, key, now_s)
        value = None if found is None or key is None else self._sessions.renewed(found, key, now_s)
        return () if value is None else (_cookie(value, headers, config),)


def _check_is_on(config: Config) -> None:
    if not access.is_loopback(config.server.host):
        raise ApiError(
            "permission_error",
            f"the dashboard is off where server.host is {config.server.host!r} and there is no key: set admin.key",
        )


def _cookie(value: str | None, headers: Headers, config: Config) -> tuple[str, str]:
    is_secure = config.server.scheme == "https" or headers.get("origin", "").startswith("https:")
    return session.cookie_of(value, is_secure=is_secure)


def _page(sent: Sent) -> Page:
    return Page(sent.body, sent.status, sent.content_type, sent.headers)


def _data(value: object, headers: HeaderList = ()) -> Page:
    return Page(dumps(value), headers=(*_UNKEPT, *headers))


def _number(query: dict[str, list[str]], name: str, default: int, most: int) -> int:
    text = query.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= most):
        raise ApiError("invalid_request_error", f"{name}: must be a whole number from 1 to {most}")
    return int(text)
