"""Sessions of the dashboard: how a browser that has shown the admin key once goes on without it. Pure.

How this works. A browser cannot set headers when it opens a WebSocket, and a key must stand in no URL. So the key is sent
once, as a header, and answered with a cookie: two times, and a code (HMAC-SHA256) over them. The key of the code is made
of a secret that all workers share and of the digest of the admin key, so that any worker knows it again, and nobody does
when the admin key was changed. No worker has to remember a session.

The cookie opens nothing but the data of the dashboard, which only reads. It counts only together with what no foreign
page can send: a header of the dashboard's own for requests, the same origin for a WebSocket.
"""

import hashlib
import hmac
from dataclasses import dataclass

from ucr.access import is_same_origin
from ucr.dialects.roles import Headers

COOKIE = "ucr_session"
HEADER = "x-ucr-ui"
"""The header that the page sends with each request for data; a form or a foreign page cannot."""
PATH = "/ui"
IDLE_S = 3600.0
"""How long a session lasts without being renewed."""
MOST_S = 12 * 3600.0
"""How long it lasts at most, however often it is renewed."""
RENEWED_S = 300.0
"""A session that is older than this is renewed when it is used."""


@dataclass(frozen=True, slots=True)
class Session:
    """Unix times in seconds: when the key was shown, and when the cookie was made."""

    began_s: int
    made_s: int


class Sessions:
    """Makes cookies of sessions, and knows them again. `secret` is that of all workers."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return "<Sessions>"

    def begun(self, admin_key_sha256: str, now_s: float) -> str:
        """Return the cookie's value for one who has just shown the key."""
        return self._written(Session(int(now_s), int(now_s)), admin_key_sha256)

    def renewed(self, session: Session, admin_key_sha256: str, now_s: float) -> str | None:
        """Return the value of a cookie that lasts longer, when it is time for one."""
        if now_s < session.made_s + RENEWED_S:
            return None
        return self._written(Session(session.began_s, int(now_s)), admin_key_sha256)

    def found(self, headers: Headers, admin_key_sha256: str, now_s: float) -> Session | None:
        """Return the session that a cookie tells of, if it is one of ours and not over."""
        began, _, rest = _cookie(headers).partition(".")
        made, _, code = rest.partition(".")
        if not all(part.isascii() and part.isdigit() and len(part) <= 12 for part in (began, made)):
            return None
        session = Session(int(began), int(made))
        known = self._code(session, admin_key_sha256)
        if not hmac.compare_digest(known, code.encode("utf-8", "replace")):
            return None
        is_over = now_s >= session.made_s + IDLE_S or now_s >= session.began_s + MOST_S
        return None if is_over else session

    def _written(self, session: Session, admin_key_sha256: str) -> str:
        code = self._code(session, admin_key_sha256).decode()
        return f"{session.began_s}.{session.made_s}.{code}"

    def _code(self, session: Session, admin_key_sha256: str) -> bytes:
        key = hmac.digest(self._secret, b"the dashboard:" + admin_key_sha256.lower().encode(), hashlib.sha256)
        text = f"{session.began_s}.{session.made_s}".encode()
        return hmac.digest(key, text, hashlib.sha256).hex().encode()


def _cookie(headers: Headers) -> str:
    """Return what our cookie says. Others of this host may stand beside it, and need not be well written."""
    cookies = (part.partition("=") for part in headers.get("cookie", "").split(";"))
    return next((value.strip() for name, _, value in cookies if name.strip() == COOKIE), "")


def cookie_of(value: str | None, *, is_secure: bool) -> tuple[str, str]:
    """Return the header that sets the cookie; None takes it away."""
    kept = f"{COOKIE}={value}; Max-Age={int(IDLE_S)}" if value else f"{COOKIE}=; Max-Age=0"
    secure = "; Secure" if is_secure else ""
    return ("set-cookie", f"{kept}; Path={PATH}; HttpOnly; SameSite=Strict{secure}")


def comes_from_page(headers: Headers) -> bool:
    """True for a request that only the dashboard's own page can have sent."""
    return headers.get(HEADER) == "1"


def comes_from_origin(headers: Headers) -> bool:
    """True for the handshake of a WebSocket that a page of this very host has opened."""
    return is_same_origin(headers.get("origin", ""), headers.get("host", ""))
