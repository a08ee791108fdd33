"""An answer that is kept: which may be, how it is written down, and what the log says when it is given again. Pure."""

from dataclasses import dataclass

from ucr import jsontext
from ucr.dialects.roles import Summary
from ucr.jsontext import JsonError
from ucr.record import Record

COMPLETE = frozenset({"end_turn", "stop_sequence", "stop"})
"""Reasons to stop after which an answer is whole; "stop" is the word of chat completions."""

_TOOL_USE: tuple[bytes, ...] = (
    b'"tool_use"',
    b'"tool_calls":[{',
    b'"tool_calls": [{',
    b'"type":"server_tool_use"',
    b'"type": "server_tool_use"',
    b'"type":"mcp_tool_use"',
    b'"type": "mcp_tool_use"',
    b'"functionCall"',
    b'"url_citation"',
    b'"executableCode"',
    b'"groundingMetadata"',
    b'"urlContextMetadata"',
    b'_call"',
)
"""How the dialects write a call of a tool, and what a provider has looked up; in the Responses protocol each kind of
call has a type of that ending."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer in the client's bytes, and who gave it: a whole one, or all events of a stream."""

    body: bytes
    is_stream: bool
    provider: str
    model: str
    route: str
    tier: str
    stop_reason: str | None
    notes: tuple[str, ...]
    model_asked: str

    @property
    def tags(self) -> tuple[str, ...]:
        """What it can be forgotten by."""
        provider, asked, used = self.provider, self.model_asked, self.model
        tags = (f"provider:{provider}", f"model:{asked}", f"model:{asked}@{provider}")
        return tags if used == asked else (*tags, f"model:{used}", f"model:{used}@{provider}")

    def note(self, record: Record) -> None:
        """Make the record speak of this answer; its tokens were spent before."""
        record.cache = "hit"
        record.provider, record.model_used, record.route = self.provider, self.model, self.route
        record.tier, record.notes = self.tier, self.notes
        record.summary = Summary(stop_reason=self.stop_reason)


def tag_of(*, model: str | None = None, provider: str | None = None) -> str | None:
    """Return the tag of what came from a provider, for a model, or both; None: that of everything."""
    if model is None:
        return None if provider is None else f"provider:{provider}"
    return f"model:{model}" if provider is None else f"model:{model}@{provider}"


def may_keep(record: Record, body: bytes) -> bool:
    """Return whether an answer is whole, uses no tool and no help of the router's, and comes from whom the routing chose.

    What somebody else said in an outage is not given again when the outage is over.
    """
    is_whole = record.status == 200 and record.error_type is None and record.tier == "optimal"
    is_complete = record.summary.stop_reason in COMPLETE
    return is_whole and is_complete and not record.bridged and not any(words in body for words in _TOOL_USE)


def kept_of(record: Record, body: bytes) -> Kept:
    """Return what is kept of an answer that was just delivered."""
    return Kept(
        body,
        record.stream,
        record.provider,
        record.model_used,
        record.route,
        record.tier,
        record.summary.stop_reason,
        record.notes,
        record.model_asked,
    )


def written(kept: Kept) -> bytes:
    """Write it down: a line of JSON, and the body."""
    head = {
        "stream": kept.is_stream,
        "provider": kept.provider,
        "model": kept.model,
        "route": kept.route,
        "tier": kept.tier,
        "stop_reason": kept.stop_reason,
        "notes": list(kept.notes),
        "model_asked": kept.model_asked,
    }
    return jsontext.dumps(head) + b"\n" + kept.body


def read(entry: bytes) -> Kept | None:
    """Read what was written; None for what was not, such as an entry of another version."""
    line, _, body = entry.partition(b"\n")
    try:
        head = jsontext.loads(line)
        return Kept(
            body,
            head["stream"],
            head["provider"],
            head["model"],
            head["route"],
            head["tier"],
            head["stop_reason"],
            tuple(head["notes"]),
            head["model_asked"],
        )
    except (JsonError, KeyError, TypeError):
        return None
