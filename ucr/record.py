"""The account of one request: what its log line and its answer's headers say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from ucr.dialects.roles import HeaderList, Summary
from ucr.errors import ApiError
from ucr.observe.trace import Trace
from ucr.routing import Candidate

_WORDS_CHARS = 300
_VALUE_CHARS = 1000
"""What a name or a note may take of an answer's head: clients refuse heads of more than 16 KiB (Node.js)."""


_VALUE = itemgetter(1)

HUNDREDTHS = 100_000
"""Of a millisecond, in a second: as exact as times are told. Dividing whole ones takes a fifth of what `round` does."""

Took = tuple[float, float, float | None]
"""Seconds: in all, the router's own of these, and until the first byte of the answer, if there was one."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A call of a candidate that came to nothing, why, and when it ended, on the loop's clock; and its span in a trace."""

    provider: str
    model: str
    error: ApiError
    ended_s: float = 0.0
    span_id: int = 0

    def __str__(self) -> str:
        error = self.error
        return f"{self.provider}/{self.model}: {error.status} {error.type}: {error.message[:_WORDS_CHARS]}"


@dataclass(slots=True)
class Record:
    """Filled while the request runs; times are seconds on the loop's clock.

    `waited_s` says how much of the time so far was spent in waiting for providers. `cost_nano` is in billionths of a
    US dollar; None is "not known", and `side_nano` is what other models cost that helped. `healed` says what was changed
    after a refusal, `parts` how many answers of a model make this one, `bridged` what was done in place of the model,
    `limit_headers` what is left of the client's own limits, `considered` the candidates in their order, and `tried` those
    that came to nothing. `trace` is there when traces are made, and `span_id` that of the call that was answered.
    """

    request_id: str
    worker: str
    began_s: float
    waited_s: Callable[[], float]
    client: str | None = None
    peer: str = ""
    dialect: str = ""
    provider: str = ""
    model_asked: str = ""
    model_used: str = ""
    route: str = ""
    tier: str = ""
    attempts: int = 0
    parts: int = 1
    cache: str = "bypass"
    status: int = 0
    stream: bool = False
    first_byte_s: float | None = None
    summary: Summary = field(default_factory=Summary)
    error_type: str | None = None
    session_id: str | None = None
    agent_id: str | None = None
    upstream_request_id: str | None = None
    key_number: int | None = None
    notes: tuple[str, ...] = ()
    request_bytes: int = 0
    answer_bytes: int = 0
    cost_nano: int | None = None
    limit_headers: HeaderList = ()
    healed: str | None = None
    bridged: tuple[str, ...] = ()
    side_nano: int = 0
    considered: Sequence[Candidate] = ()
    tried: tuple[Tried, ...] = ()
    trace: Trace | None = None
    span_id: int = 0

    @property
    def message_id(self) -> str:
        """The id of a message that the router opens itself."""
        return "msg_" + self.request_id.removeprefix("req_")

    def took(self, now_s: float) -> Took:
        """Return how long it took until now in all, how much of that was the router's own, and until its first byte."""
        first_s, total_s = self.first_byte_s, now_s - self.began_s
        own_s = total_s - self.waited_s()
        return total_s, own_s if own_s > 0.0 else 0.0, None if first_s is None else first_s - self.began_s

    def headers(self, now_s: float) -> HeaderList:
        """Return the headers that every answer carries."""
        own_s = now_s - self.began_s - self.waited_s()
        pairs = (
            ("request-id", self.request_id),
            ("x-request-id", self.request_id if self.dialect.startswith("openai-") else ""),
            ("x-ucr-provider", self.provider[:_VALUE_CHARS]),
            ("x-ucr-model", self.model_used[:_VALUE_CHARS]),
            ("x-ucr-route", self.route[:_VALUE_CHARS]),
            ("x-ucr-tier", self.tier),
            ("x-ucr-attempts", str(self.attempts) if self.attempts else ""),
            ("x-ucr-cache", self.cache if self.provider else ""),
            ("x-ucr-worker", self.worker),
            ("x-ucr-overhead-ms", "%.2f" % (own_s * 1000 if own_s > 0.0 else 0.0)),
            ("x-ucr-notes", "; ".join(self.notes)[:_VALUE_CHARS] if self.notes else ""),
            ("x-ucr-upstream-request-id", (self.upstream_request_id or "")[:_VALUE_CHARS]),
        )
        return (*filter(_VALUE, pairs), *self.limit_headers)

    def fields(self, took: Took) -> dict[str, object]:
        """Return the fields of `request.finished`, in the order in which they are documented."""
        total_s, own_s, ttfb_s = took
        summary, retries = self.summary, self.attempts - self.parts
        usage = summary.usage
        return {
            "request_id": self.request_id,
            "worker": self.worker,
            "dialect": self.dialect,
            "provider": self.provider or None,
            "model_asked": self.model_asked,
            "model_used": self.model_used or None,
            "route": self.route or None,
            "tier": self.tier or None,
            "attempts": self.attempts,
            "status": self.status,
            "stream": self.stream,
            "cache": self.cache,
            "ttfb_ms": None if ttfb_s is None else int(ttfb_s * HUNDREDTHS + 0.5) / 100,
            "total_ms": int(total_s * HUNDREDTHS + 0.5) / 100,
            "overhead_ms": int(own_s * HUNDREDTHS + 0.5) / 100,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "stop_reason": summary.stop_reason,
            "error_type": self.error_type,
            "session_id": self.session_id,
            "agent_id": self.agent_id,
            "retries": retries if retries > 0 else 0,
            "request_bytes": self.request_bytes,
            "answer_bytes": self.answer_bytes,
            "client": self.client,
            "peer": self.peer or None,
            "key_number": self.key_number,
            "healed": self.healed,
            "bridged": "; ".join(self.bridged)[:_VALUE_CHARS] if self.bridged else None,
            "usage_estimated": summary.is_estimated,
            "cost_usd": None if self.cost_nano is None else self.cost_nano / 1e9,
        }
