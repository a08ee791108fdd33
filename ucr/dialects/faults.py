"""What an upstream's refusal means.

One table of meanings for every provider: status, error code and words go in, an `UpstreamError` comes out
whose type, status and fault are UCR's own and whose words are the provider's. Three kinds of words are
changed: a context overflow is worded so that Claude Code compacts, a refused key is said to be UCR's and not
the client's, and key fragments are masked.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from ucr.dialects.roles import Headers, Target
from ucr.errors import ApiError, ErrorType, Fault, UpstreamError

SNIPPET_CHARS = 200

_OVERFLOW = re.compile(
    r"prompt (?:is )?too long|context[_ ]length[_ ]exceeded|maximum context length|exceeds the context window"
    r"|exceeds? the maximum number of tokens|exceeded model token limit|reduce the length of the messages"
    r"|context window exceeds|input is too long|too many input tokens|exceeds the available context size"
    r"|input length and `?max_tokens`? exceed context limit|maximum prompt length|maximum model length"
    r"|tokens exceed the configured limit|prompt token count of \d+ exceeds|context (?:the )?overflows"
    r"|inputs` tokens \+ `max_new_tokens",
    re.IGNORECASE,
)
"""The words of OpenAI, Azure, Anthropic, Gemini, Mistral, Groq, DeepSeek, xAI, Moonshot, Together, Copilot,
Bedrock, MiniMax, vLLM, llama.cpp, LM Studio and Ollama for a context that is full."""

_TWO_LIMITS = re.compile(r"input length and `?max_tokens`? exceed context limit", re.IGNORECASE)
"""Claude Code reads this one itself and lowers `max_tokens`; compacting would be the wrong answer."""

_QUOTA = re.compile(
    r"insufficient[_ ](quota|balance|credits?|funds)|exceeded your current quota|credit balance is too low"
    r"|billing[_ ]hard[_ ]limit|requires more credits",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(r"API_KEY_INVALID|API key not valid|invalid_api_key|incorrect api key", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.-])\d[\d,]{2,}(?![\w-])")
_MAXIMUM = re.compile(
    r"(?:maximum|max|limit|window|size)[^\d]{0,60}(\d[\d,]{2,})|<=\s*(\d[\d,]{2,})", re.IGNORECASE
)
_KEY_FRAGMENT = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|key|ghp|gho|hf|pplx|tgp|nvapi|xoxb)[-_](?=[-_A-Za-z]*[\d*])[-_*A-Za-z0-9.]{4,}[A-Za-z0-9*]"
    r"|\bya29\.[-_A-Za-z0-9.]{6,}|\bAIza[-_*A-Za-z0-9]{6,}|\beyJ[-_A-Za-z0-9]{8,}(?:\.[-_A-Za-z0-9]+)*|\bBearer\s+[^\s\"',}]{6,}"
    r"|(?<=API key provided: )[^\s\"',}]+|(?<=API key: )[^\s\"',}]+",
    re.IGNORECASE,
)
"""Known prefixes followed by something with a digit or a star (so that `key-value` stays), Google keys, signed
tokens, and what stands where a key is named."""

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
    """Read how long to wait, in whole seconds rounded up, from `retry-after-ms` or `retry-after`.

    A date is counted from `now_unix_s`, else from the answer's own `date`; it means nothing without either.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None and milliseconds >= 0:
        return _whole(milliseconds / 1000)
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return _whole(seconds) if seconds >= 0 else None
    until = _unix_s(value)
    now = _unix_s(headers.get("date", "")) if now_unix_s is None else now_unix_s
    return None if until is None or now is None else _whole(max(0.0, until - now))


def _unix_s(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _exhausted_reset_s(headers: Headers) -> int | None:
    """Read when a limit that stands at 0 is lifted."""
    waits = [
        duration_s(headers.get(f"x-ratelimit-reset-{kind}", ""))
        for kind in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{kind}") == "0"
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def duration_s(text: str) -> int | None:
    """Read a Go-style duration (`120ms`, `1s`, `6m0s`) or a number of seconds, rounded up."""
    seconds = _number(text)
    if seconds is not None:
        return _whole(seconds) if seconds >= 0 else None
    match = _DURATION.fullmatch(text.strip())
    if not text.strip() or match is None:
        return None
    parts = [_number(part or "0") for part in match.groups()]
    if None in parts:
        return None
    hours, minutes, whole, milliseconds = (part or 0.0 for part in parts)
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
    retry_s: int | None = None,
    param: str | None = None,
    body: bytes | None = None,
) -> UpstreamError:
    """Return the meaning of an upstream's error answer.

    `code` is its own error code or type; `retry_s` a wait that its body states, used when no header does.
    """
    fault, type_ = _meaning(status, code, message)
    wait_s = _wait_s(status, headers or {}, retry_s)
    if status == 429 and wait_s is not None and code != "insufficient_quota":
        fault, type_ = "rate_limit", "rate_limit_error"  # Gemini calls each of its rate limits a quota
    words = mask_keys(message).strip() or f"provider '{provider}' answered {status} without a message"
    return UpstreamError(
        type_,
        _worded(provider, status, fault, words),
        fault=fault,
        upstream_status=status,
        retry_after_s=wait_s,
        param=param,
        code="context_length_exceeded" if fault == "overflow" else code or None,
        body=body,
    )


def _wait_s(status: int, headers: Headers, stated_s: int | None) -> int | None:
    wait = retry_after_s(headers)
    if wait is None:
        wait = stated_s
    return _exhausted_reset_s(headers) if wait is None and status == 429 else wait


def _worded(provider: str, status: int, fault: Fault, words: str) -> str:
    if fault == "overflow":
        return overflow_words(words)
    if fault == "auth" and status == 403:
        return f"provider '{provider}' does not permit this: {words} (check what the provider's api_key may do)"
    if fault == "auth":
        return (
            f"provider '{provider}' refused UCR's API key for it: {words} (check providers.{provider}.api_key)"
        )
    return words


def unreadable(provider: str, what: str, body: bytes = b"") -> UpstreamError:
    """Return the error for an answer that breaks the protocol: `what` says how."""
    shown = snippet(body)
    return UpstreamError(
        "api_error",
        f"provider '{provider}' {what}" + (f": {shown}" if shown else ""),
        fault="protocol",
    )


def unseen(target: Target) -> ApiError:
    """Return the refusal of an image to a model that takes none."""
    words = f"model '{target.model}' of provider '{target.provider}' takes no images"
    return ApiError("invalid_request_error", words)


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
    if code in _OVERLOAD_CODES:
        return "overload", "overloaded_error"
    return _MEANINGS.get(status) or (("server", "api_error") if status >= 500 else _OTHER)


_OVERLOAD_CODES = frozenset({"overloaded_error", "insufficient_system_resource", "UNAVAILABLE"})
_OTHER: tuple[Fault, ErrorType] = ("request", "invalid_request_error")
_MEANINGS: Mapping[int, tuple[Fault, ErrorType]] = MappingProxyType(
    {
        403: ("auth", "permission_error"),
        404: ("model", "not_found_error"),
        408: ("timeout", "timeout_error"),
        409: ("server", "conflict_error"),
        413: ("request", "request_too_large"),
        424: ("server", "api_error"),
        429: ("rate_limit", "rate_limit_error"),
        502: ("gateway", "api_error"),
        503: ("overload", "overloaded_error"),
        504: ("timeout", "timeout_error"),
        529: ("overload", "overloaded_error"),
    }
)


def overflow_words(message: str) -> str:
    """Word a context overflow as `prompt is too long: N tokens > M maximum`, numbers from the message.

    Claude Code compacts when it reads these words; where the numbers cannot be told apart it gets the words
    alone.
    """
    if message.startswith("prompt is too long") or _TWO_LIMITS.search(message):
        return message
    numbers = [int(digits.replace(",", "")) for digits in _NUMBER.findall(message)]
    maximum = _maximum(message, numbers)
    asked = _asked([number for number in numbers if number != maximum], maximum)
    if asked is None:
        return f"prompt is too long: {message}"
    return f"prompt is too long: {asked} tokens > {maximum} maximum ({message})"


def _maximum(message: str, numbers: list[int]) -> int:
    """The allowed number is the one that follows the words for it, else the smallest."""
    match = _MAXIMUM.search(message)
    if match is not None:
        return int((match.group(1) or match.group(2)).replace(",", ""))
    return min(numbers, default=0)


def _asked(numbers: list[int], maximum: int) -> int | None:
    """The number asked for is the largest, or the sum where a prompt and an output limit are named."""
    return next((asked for asked in (max(numbers, default=0), sum(numbers)) if asked > maximum > 0), None)
