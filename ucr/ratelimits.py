"""Which of a provider's response headers reach the client, and under which names."""

from datetime import UTC, datetime, timedelta

from ucr.dialects.faults import duration_s
from ucr.dialects.roles import HeaderList, Headers

_UPSTREAM_IDS = ("request-id", "x-request-id", "x-amzn-requestid", "mistral-correlation-id", "apim-request-id")
_SAME = ("anthropic-", "x-ratelimit-", "openai-", "ratelimitbysize-")
_PAIRS = (("requests", "requests"), ("tokens", "tokens"))


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
    for theirs, ours in _PAIRS:
        found += [
            (f"anthropic-ratelimit-{ours}-{part}", value)
            for part in ("limit", "remaining")
            if (value := headers.get(f"x-ratelimit-{part}-{theirs}")) is not None
        ]
        seconds = duration_s(headers.get(f"x-ratelimit-reset-{theirs}", ""))
        if seconds is not None:
            moment = datetime.fromtimestamp(now_unix_s, UTC) + timedelta(seconds=seconds)
            found.append((f"anthropic-ratelimit-{ours}-reset", moment.strftime("%Y-%m-%dT%H:%M:%SZ")))
    return found


def _as_openai(headers: Headers) -> list[tuple[str, str]]:
    return [
        (f"x-ratelimit-{part}-{kind}", value)
        for kind, _ in _PAIRS
        for part in ("limit", "remaining")
        if (value := headers.get(f"anthropic-ratelimit-{kind}-{part}")) is not None
    ]
