"""Which of a provider's response headers reach the client, and under which names."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Literal

from ucr.dialects.faults import duration_s
from ucr.dialects.roles import HeaderList, Headers

_UPSTREAM_IDS = ("request-id", "x-request-id", "x-amzn-requestid", "mistral-correlation-id", "apim-request-id")
_ARE_IDS = frozenset(_UPSTREAM_IDS)
_ID = re.compile(r"[A-Za-z0-9._:/+=@|-]{1,200}")
_SAME = ("anthropic-", "x-ratelimit-", "openai-", "ratelimitbysize-")
_ANY_OF_THEM = re.compile("anthropic-|ratelimit|openai-")
_KINDS = ("requests", "tokens")
_OPENAI = "openai-"
"""How the dialects are called that share their headers."""

_RESET_LIMIT_S = 366 * 86_400
"""A reset that is further away is no rate limit's, and may be later than any date."""

Kind = Literal["requests", "tokens"]


def upstream_request_id(headers: Headers) -> str | None:
    """Return the provider's own id of the request; what is not made of an id's characters is none."""
    if _ARE_IDS.isdisjoint(headers):
        return None
    for name in _UPSTREAM_IDS:
        if value := headers.get(name):
            return value if _ID.fullmatch(value) else None
    return None


def passed_on(headers: Headers, client: str, provider: str, now_unix_s: float) -> HeaderList:
    """Return the rate-limit headers for the client: unmodified for the same dialect, else translated."""
    if _ANY_OF_THEM.search(" ".join(headers)) is None:
        return ()
    if client == provider or (client.startswith(_OPENAI) and provider.startswith(_OPENAI)):
        return tuple((name, value) for name, value in headers.items() if name.startswith(_SAME))
    if client == "anthropic":
        return tuple(_as_anthropic(headers, now_unix_s))
    return tuple(_as_openai(headers))


def own(client: str, kind: Kind, limit: int, remaining: int, reset_s: float, now_unix_s: float) -> HeaderList:
    """Return the headers of a limit of the router's own, in the client's dialect; it is whole again in `reset_s`."""
    if client == "anthropic":
        moment = datetime.fromtimestamp(now_unix_s, UTC) + timedelta(seconds=math.ceil(reset_s))
        stem, reset = f"anthropic-ratelimit-{kind}", moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return ((f"{stem}-limit", str(limit)), (f"{stem}-remaining", str(remaining)), (f"{stem}-reset", reset))
    parts = (("limit", str(limit)), ("remaining", str(remaining)), ("reset", f"{math.ceil(reset_s)}s"))
    return tuple((f"x-ratelimit-{part}-{kind}", value) for part, value in parts)


def without(headers: HeaderList, own: HeaderList) -> HeaderList:
    """Return the headers of a provider that do not speak of what the router's own speak of."""
    names = {name for name, _ in own}
    return tuple((name, value) for name, value in headers if name not in names)


def _as_anthropic(headers: Headers, now_unix_s: float) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for kind in _KINDS:
        found += [
            (f"anthropic-ratelimit-{kind}-{part}", value)
            for part in ("limit", "remaining")
            if (value := headers.get(f"x-ratelimit-{part}-{kind}")) is not None
        ]
        seconds = duration_s(headers.get(f"x-ratelimit-reset-{kind}", ""))
        if seconds is not None and seconds <= _RESET_LIMIT_S:
            moment = datetime.fromtimestamp(now_unix_s, UTC) + timedelta(seconds=seconds)
            found.append((f"anthropic-ratelimit-{kind}-reset", moment.strftime("%Y-%m-%dT%H:%M:%SZ")))
    return found


def _as_openai(headers: Headers) -> list[tuple[str, str]]:
    return [
        (f"x-ratelimit-{part}-{kind}", value)
        for kind in _KINDS
        for part in ("limit", "remaining")
        if (value := headers.get(f"anthropic-ratelimit-{kind}-{part}")) is not None
    ]
