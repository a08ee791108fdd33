"""A scripted upstream in Anthropic's own dialect that can do everything a probe asks for, or all but one thing."""

import json
from collections.abc import Mapping
from typing import Any

from tests.world import answers
from ucr.stress.upstream import Answer, Handler, SeenRequest

Reply = dict[str, Any]
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
THOUGHT = {"type": "thinking", "thinking": "17 * 20 + 17 * 3", "signature": "c2ln"}
REFUSAL = {"type": "error", "error": {"type": "invalid_request_error", "message": "not this"}}


def ask_of(body: Mapping[str, Any], path: str) -> str:
    """Return which check a request is of."""
    if path.endswith("count_tokens"):
        return "count_tokens"
    if body.get("temperature") == 9:
        return "error shapes"
    if body.get("stream"):
        return "cancel" if body["max_tokens"] == 1024 else "stream order"
    if "thinking" in body:
        return "thinking"
    text = json.dumps(body["messages"])
    has_image, has_result = '"image"' in text, "tool_result" in text
    if has_image:
        return "images in tool results" if has_result else "images"
    if has_result:
        return "tool results"
    if "tools" in body:
        return "tools" if "tool_choice" in body else "parallel tools"
    return "text"


def replies() -> dict[str, tuple[int, Reply]]:
    """Return what somebody who can do everything answers, by check."""
    calls = [CALL, {**CALL, "id": "toolu_2", "input": {"city": "Rome"}}]
    return {
        "text": (200, answers.anthropic_reply("ok")),
        "tools": (200, {**answers.anthropic_reply(), "content": [CALL], "stop_reason": "tool_use"}),
        "parallel tools": (200, {**answers.anthropic_reply(), "content": calls, "stop_reason": "tool_use"}),
        "tool results": (200, answers.anthropic_reply("7 degrees")),
        "thinking": (200, {**answers.anthropic_reply(), "content": [THOUGHT, {"type": "text", "text": "391"}]}),
        "images": (200, answers.anthropic_reply("Red.")),
        "images in tool results": (200, answers.anthropic_reply("It is red.")),
        "count_tokens": (200, {"input_tokens": 12}),
        "error shapes": (400, REFUSAL),
    }


def able(changes: Mapping[str, tuple[int, Reply]] = {}, stream: list[bytes] | None = None) -> Handler:
    """Answer every check, but for what is changed."""
    told = replies() | dict(changes)
    events = answers.anthropic_text("o", "k") if stream is None else stream

    async def handler(request: SeenRequest, answer: Answer) -> None:
        body: Any = request.json()
        asked = ask_of(body, request.path)
        if asked in ("stream order", "cancel"):
            pieces = events if asked == "stream order" else answers.anthropic_text(*["one "] * 50)
            await answers.streams(pieces, pause_s=0.1 if asked == "cancel" else 0.0)(request, answer)
        else:
            await answers.says(*told[asked])(request, answer)

    return handler
