"""What a healthy provider answers, whole and streamed, in the dialect of the path that was asked."""

import json
from typing import Any

from ucr.stress.failing.moves import Say, anthropic_message, chat_completion
from ucr.stress.failing.scripted import asked, dialect_of, says, stream_of
from ucr.stress.upstream import Headers, SeenRequest

TEXT = "All is well — là-bas."
"""What a healthy upstream says; its middle is not ASCII."""

JSON: Headers = (("content-type", "application/json"),)
SSE: Headers = (("content-type", "text/event-stream"),)

well = says(Say(TEXT))


def is_stream(request: SeenRequest) -> bool:
    return bool(asked(request).get("stream"))


def type_of(request: SeenRequest) -> Headers:
    return SSE if is_stream(request) else JSON


def parts(request: SeenRequest) -> tuple[bytes, bytes]:
    """Return a healthy answer's body in two: what comes up to the first words, and the rest."""
    if not is_stream(request):
        body = message_bytes(request)
        return body[: len(body) // 2], body[len(body) // 2 :]
    events = stream_of(Say(TEXT), dialect_of(request), "m")
    shown = next(number for number, event in enumerate(events, 1) if TEXT[:4].encode() in event)
    return b"".join(events[:shown]), b"".join(events[shown:])


def last_event(events: bytes) -> bytes:
    return events[events.rstrip().rindex(b"\n\n") + 2 :]


def message_of(request: SeenRequest) -> dict[str, Any]:
    """Return a healthy answer that is not streamed."""
    whole = anthropic_message if dialect_of(request) == "anthropic" else chat_completion
    return whole(Say(TEXT), "", "m")


def message_bytes(request: SeenRequest) -> bytes:
    return json.dumps(message_of(request), ensure_ascii=False).encode()
