"""Which of a provider's response headers reach the client, and under which names."""

from datetime import UTC, datetime, timedelta

from ucr.dialects.faults import duration_s
from ucr.dialects.roles import HeaderList, Headers

_UPSTREAM_IDS = ("request-id", "x-request-id", "x-amzn-requestid", "mistral-correlation-id", "apim-request-id")
_SAME = ("anthropic-", "x-ratelimit-", "openai-", "ratelimitbysize-")
_KINDS = ("requests", "tokens")
_RESET_LIMIT_S = 366 * 86_400
"""A reset that is further away is no rate limit's, and may be later than any date."""


def upstream_request_id(headers: Headers) -> str | None:
    """Return the provider's own id of the request."""
    return next((headers[name] for name in _UPSTREAM_IDS if headers.get(name)), None)


def passed_on(headers: Headers, client: str, provider: str, now_unix_s: float) -> HeaderList:
    """Return the rate-limit headers for the client: unmodified for the same dialect, else translated."""
    if client == provider:
        return tuple((name, value) for name, value in headers.items() if name.startswith(_SAME))
    if client == "anthropic":
        return tuple(_as_anthropic(headers, now_unix_s))
    return tuple(_as_openai(headers))


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
