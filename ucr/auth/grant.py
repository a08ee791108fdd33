"""What is said to the servers of tokens, and what they answer: OAuth 2.0 (RFC 6749), its device flow (RFC 8628), and
the exchange that GitHub Copilot adds. Pure.
"""

import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from ucr import jsontext
from ucr.auth.sign_in import SignIn
from ucr.jsontext import JsonError, JsonObject
from ucr.redaction import Redactor
from ucr.secret import Secret

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DEFAULT_LIFE_S = 300.0
DEFAULT_INTERVAL_S, SLOWER_S = 5.0, 5.0
"""RFC 8628, sections 3.2 and 3.5."""
LONGEST_INTERVAL_S, LONGEST_LOGIN_S = 60.0, 1800.0
WORDS_CHARS = 200
"""The most that is told of a server's own words."""
MARGIN_S = 300.0
"""So long before its end a token is replaced, or after half of its life, if that is later."""


class Unusable(ValueError):
    """A file or an answer that is not what it should be; the message says what helps, and shows no secret."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a provider is asked with. `life_s` is for how many seconds it holds from when it was given."""

    secret: Secret
    life_s: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in, or its renewal, gave. `refresh` is empty where there is none; `life_s` None is for ever."""

    access: Secret
    refresh: Secret = Secret("")
    life_s: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A sign-in that has begun: the user types `user_code` at `url`, and meanwhile `secret` is asked about."""

    secret: Secret
    user_code: str
    url: str
    interval_s: float
    life_s: float


@dataclass(frozen=True, slots=True)
class Pending:
    """The user has not decided yet; `is_too_fast`: ask less often. `interval_s` is how often, where that is said."""

    is_too_fast: bool = False
    interval_s: float | None = None


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The token that a provider takes, and where it wants to be asked, if it says so."""

    token: Token
    base_url: str | None = None


def device_form(how: SignIn) -> dict[str, str]:
    """Return what begins a device flow."""
    return {"client_id": how.client_id, **({"scope": how.scope} if how.scope else {})}


def poll_form(how: SignIn, code: DeviceCode) -> dict[str, str]:
    """Return what asks whether the user has decided."""
    return {"client_id": how.client_id, "device_code": code.secret.reveal(), "grant_type": DEVICE_GRANT}


def refresh_form(how: SignIn, refresh: Secret) -> dict[str, str]:
    """Return what asks for another access token."""
    return {"grant_type": "refresh_token", "client_id": how.client_id, "refresh_token": refresh.reveal()}


def read_device(data: bytes) -> DeviceCode:
    """Read how a device flow begins; raise `Unusable`."""
    fields = object_in(data, "the answer holds no JSON object")
    secret, user_code, url = texts_in(fields, "device_code", "user_code", "verification_uri")
    if not is_shown(user_code) or not is_shown(url) or urlsplit(url).scheme not in ("https", "http"):
        raise Unusable("the code, or where it is to be typed, cannot be shown")
    interval = seconds_in(fields, "interval") or DEFAULT_INTERVAL_S
    life = seconds_in(fields, "expires_in") or LONGEST_LOGIN_S
    return DeviceCode(
        Secret(secret), user_code, url, min(interval, LONGEST_INTERVAL_S), min(life, LONGEST_LOGIN_S)
    )


def read_poll(data: bytes) -> Grant | Pending:
    """Read whether the user has decided; raise `Unusable` when that was not for it, or too late.

    An error is told with a status of 400, or with 200 (GitHub).
    """
    fields = object_in(data, "the answer holds no JSON object")
    match fields.get("error"):
        case None:
            return _grant(fields)
        case "authorization_pending":
            return Pending()
        case "slow_down":
            return Pending(is_too_fast=True, interval_s=seconds_in(fields, "interval"))
        case "access_denied":
            raise Unusable("the sign-in was refused (access_denied)")
        case "expired_token":
            raise Unusable("the code was not typed in time (expired_token); sign in again")
    raise Unusable(f"the sign-in failed: {refusal_words(data)}")


def read_grant(data: bytes) -> Grant:
    """Read the answer to `refresh_form`; raise `Unusable`."""
    fields = object_in(data, "the answer holds no JSON object")
    if "error" in fields:
        raise Unusable(refusal_words(data))
    return _grant(fields)


def read_token(data: bytes) -> Token:
    """Read the answer to a question for a token; raise `Unusable`."""
    grant = _grant(object_in(data, "the answer holds no JSON object"))
    return Token(grant.access, DEFAULT_LIFE_S if grant.life_s is None else grant.life_s)


def read_exchange(data: bytes, unix_s: float) -> Exchanged:
    """Read what an access token was exchanged for; raise `Unusable`.

    `refresh_in` goes before `expires_at`: it does not depend on what this machine's clock says.
    """
    fields = object_in(data, "the answer holds no JSON object")
    (text,) = texts_in(fields, "token")
    refresh_in, expires_at = seconds_in(fields, "refresh_in"), seconds_in(fields, "expires_at")
    life_s = DEFAULT_LIFE_S
    if refresh_in is not None:
        life_s = refresh_in + MARGIN_S
    elif expires_at is not None:
        life_s = max(0.0, expires_at - unix_s)
    endpoints = fields.get("endpoints")
    url = endpoints.get("api") if isinstance(endpoints, dict) else None
    return Exchanged(Token(_sendable(text, "token"), life_s), url if is_secure_url(url) else None)


def is_secure_url(url: object) -> bool:
    """True for an address that may be asked with a token: https:// and nothing but a host and a path."""
    if not isinstance(url, str) or not is_shown(url):
        return False
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "https"
            and bool(parts.hostname)
            and not (parts.query or parts.fragment or "@" in url)
        )
    except ValueError:
        return False


def refusal_words(data: bytes, *secrets: Secret) -> str:
    """Return the first words of an answer that holds no token, without these secrets, which it may repeat.

    They are fit for a terminal.
    """
    try:
        fields = object_in(data, "")
    except Unusable:
        return "without a reason"
    found = [fields.get(key) for key in ("error", "error_description", "message")]
    words = ": ".join(text for text in found if isinstance(text, str) and text)
    # Before they are cut, or the first half of a secret would be left.
    shown = Redactor([secret.reveal() for secret in secrets]).text(words)
    plain = "".join(char if char.isprintable() else " " for char in shown[:WORDS_CHARS])
    return plain or "without a reason"


def object_in(data: bytes, words: str) -> JsonObject:
    """Return the JSON object that `data` is; raise `Unusable` with these words."""
    try:
        fields = jsontext.loads(data)
    except JsonError:
        fields = None
    if not isinstance(fields, dict):
        raise Unusable(words)
    return fields


def texts_in(fields: JsonObject, *names: str) -> list[str]:
    """Return fields that must be there and be texts; raise `Unusable`."""
    texts = [fields.get(name) for name in names]
    for name, text in zip(names, texts, strict=True):
        if not isinstance(text, str) or not text:
            raise Unusable(f"{name} is missing")
    return [str(text) for text in texts]


def seconds_in(fields: JsonObject, name: str) -> float | None:
    """Return a field that is a number of seconds from 0 on; None for anything else."""
    value = fields.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return max(0.0, float(value)) if is_number else None  # type: ignore[arg-type]


def is_shown(text: str) -> bool:
    """True for a text that steers no terminal."""
    return text.isascii() and text.isprintable() and len(text) <= 500


def _grant(fields: JsonObject) -> Grant:
    (text,) = texts_in(fields, "access_token")
    refresh = fields.get("refresh_token")
    kept = Secret(refresh if isinstance(refresh, str) else "")
    return Grant(_sendable(text, "access_token"), kept, seconds_in(fields, "expires_in"))


def _sendable(text: str, name: str) -> Secret:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Unusable(f"the {name} cannot be sent in a header")
    return Secret(text)
