"""What an upstream's refusal means.

One table of meanings for every provider: status, error code and words go in, an `UpstreamError` comes out
whose type, status and fault are UCR's own and whose words are the provider's. Only two kinds of words are
changed: a context overflow is worded so that Claude Code compacts, and key fragments are masked.
"""

import re
from email.utils import parsedate_to_datetime

from ucr.dialects.roles import Headers
from ucr.errors import ErrorType, Fault, UpstreamError

SNIPPET_CHARS = 200

_OVERFLOW = re.compile(
    r"prompt is too long|context[_ ]length[_ ]exceeded|maximum context length|exceeds the context window"
    r"|exceeds? the maximum number of tokens|exceeded model token limit|reduce the length of the messages"
    r"|context window exceeds|input is too long|too many input tokens|exceeds the available context size"
    r"|input length and max_tokens exceed context limit",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient[_ ](quota|balance|credits?|funds)|exceeded your current quota|credit balance is too low"
    r"|billing[_ ]hard[_ ]limit|requires more credits",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(r"API_KEY_INVALID|API key not valid|invalid_api_key|incorrect api key", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d,]{2,}")
_KEY_FRAGMENT = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|key|ghp|gho|hf|pplx|tgp|nvapi|AIza|xoxb)[-_*A-Za-z0-9]{6,}|Bearer\s+[^\s\"',}]{6,}"
)
_TAG = re.compile(r"<(?:script|style)[^>]*>.*?</(?:script|style)>|<[^>]{0,500}>", re.IGNORECASE | re.DOTALL)
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")


def mask_keys(text: str) -> str:
    """Replace whatever looks like a key or a part of one."""
    return _KEY_FRAGMENT.sub("[key]", text)


def snippet(body: bytes) -> str:
    """Return the first words of a body that is not the JSON it should be, without markup."""
    text = _TAG.sub(" ", body[:4000].decode("utf-8", "replace"))
    return mask_keys(" ".join(text.split())[:SNIPPET_CHARS])


def retry_after_s(headers: Headers, now_unix_s: float | None = None) -> int | None:
    """Read how long to wait, in whole seconds rounded up, from `retry-after-ms`, `retry-after` or resets.

    A date in `retry-after` needs `now_unix_s` and is ignored without it.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None and milliseconds >= 0:
        return _whole(milliseconds / 1000)
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return _whole(seconds) if seconds >= 0 else None
    if value and now_unix_s is not None:
        try:
            return _whole(max(0.0, parsedate_to_datetime(value).timestamp() - now_unix_s))
        except (ValueError, OverflowError):
            pass
    return _exhausted_reset_s(headers)


def _exhausted_reset_s(headers: Headers) -> int | None:
    for kind in ("requests", "tokens"):
        if headers.get(f"x-ratelimit-remaining-{kind}") == "0":
            return duration_s(headers.get(f"x-ratelimit-reset-{kind}", ""))
    return None


def duration_s(text: str) -> int | None:
    """Read a Go-style duration (`120ms`, `1s`, `6m0s`) or a number of seconds, rounded up."""
    seconds = _number(text)
    if seconds is not None:
        return _whole(seconds)
    match = _DURATION.fullmatch(text.strip())
    if not text.strip() or match is None:
        return None
    hours, minutes, whole, milliseconds = (float(part or 0) for part in match.groups())
    return _whole(hours * 3600 + minutes * 60 + whole + milliseconds / 1000)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= abs(value) < 1e9 else None


def _whole(seconds: float) -> int:
    return int(-(-seconds // 1))


def upstream_error(
    provider: str,
    status: int,
    message: str,
    *,
    code: str = "",
    headers: Headers | None = None,
    body: bytes | None = None,
) -> UpstreamError:
    """Return the meaning of an upstream's error answer; `code` is its own error code or type."""
    fault, type_ = _meaning(status, code, message)
    words = mask_keys(message).strip() or f"provider '{provider}' answered {status} without a message"
    return UpstreamError(
        type_,
        overflow_words(words) if fault == "overflow" else words,
        fault=fault,
        upstream_status=status,
        retry_after_s=retry_after_s(headers or {}),
        code="context_length_exceeded" if fault == "overflow" else code or None,
        body=body,
    )


def unreadable(provider: str, what: str, body: bytes = b"") -> UpstreamError:
    """Return the error for an answer that breaks the protocol: `what` says how."""
    shown = snippet(body)
    return UpstreamError(
        "api_error",
        f"provider '{provider}' {what}" + (f": {shown}" if shown else ""),
        fault="protocol",
    )


def cut_short(provider: str) -> UpstreamError:
    """Return the error for a stream that ended before its proper end."""
    return UpstreamError(
        "api_error", f"provider '{provider}' ended its answer before it was complete", fault="midstream"
    )


def _meaning(status: int, code: str, message: str) -> tuple[Fault, ErrorType]:
    words = f"{code} {message}"
    if status in (400, 413, 422) and _OVERFLOW.search(words):
        return "overflow", "invalid_request_error"
    if status == 402 or (status in (400, 403, 429) and _QUOTA.search(words)):
        return "quota", "billing_error"
    if status in (401, 498) or (status == 400 and _BAD_KEY.search(words)):
        return "auth", "permission_error"
    if status in (503, 529) or code in ("overloaded_error", "insufficient_system_resource", "UNAVAILABLE"):
        return "overload", "overloaded_error"
    return _MEANINGS.get(status) or (("server", "api_error") if status >= 500 else _OTHER)


_OTHER: tuple[Fault, ErrorType] = ("request", "invalid_request_error")
_MEANINGS: dict[int, tuple[Fault, ErrorType]] = {
    403: ("auth", "permission_error"),
    404: ("model", "not_found_error"),
    408: ("timeout", "timeout_error"),
    409: ("server", "conflict_error"),
    413: ("request", "request_too_large"),
    424: ("server", "api_error"),
    429: ("rate_limit", "rate_limit_error"),
    502: ("gateway", "api_error"),
    504: ("timeout", "timeout_error"),
}


def overflow_words(message: str) -> str:
    """Word a context overflow as `prompt is too long: N tokens > M maximum`, numbers from the message.

    Claude Code compacts when it reads these words. Providers state the larger number as what was asked and
    the smaller as what is allowed, in either order.
    """
    if message.startswith("prompt is too long"):
        return message
    numbers = [int(digits.replace(",", "")) for digits in _NUMBER.findall(message)]
    if len(numbers) >= 2 and max(numbers) > min(numbers):
        maximum = min(numbers[:2]) if "output" in message else _maximum(message, numbers)
        asked = max(numbers)
        return f"prompt is too long: {asked} tokens > {maximum} maximum ({message})"
    return f"prompt is too long: {message}"


def _maximum(message: str, numbers: list[int]) -> int:
    """The allowed number is the one that follows the words for it, else the smallest."""
    match = re.search(r"(?:maximum|limit|window|size)[^\d]{0,60}(\d[\d,]{2,})", message, re.IGNORECASE)
    if match is not None:
        return int(match.group(1).replace(",", ""))
    return min(numbers)
