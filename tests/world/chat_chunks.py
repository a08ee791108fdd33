"""Chat-completions chunks as Hypothesis makes them: plain ones, and ones of which a field or two is otherwise."""

import json
from typing import Any

from hypothesis import strategies as st

TEXTS = st.sampled_from(["", " ", "x", "y", "é😀\u2028", '{"a": "}', "[1]}", "<think>", "</think>", "\ud800"])
ARGUMENTS = st.sampled_from(["", "{", '"a"', ": [", '"}', "]", "}", "é"])
DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, TEXTS),
    st.builds(lambda text: {"reasoning": text}, TEXTS),
    st.builds(lambda text: {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}, ARGUMENTS),
    st.builds(
        lambda name: {
            "tool_calls": [{"index": 0, "id": "call_aaa", "function": {"name": name, "arguments": "{"}}]
        },
        st.just("f"),
    ),
)
ODD = (None, "", "x", 0, 1, True, (), {}, ("x",), {"message": "no"}, ({"text": "t", "type": "a"},))
DELTA_FIELDS = ("content", "reasoning_content", "reasoning", "refusal", "reasoning_details")
CALL = {"index": 0, "function": {"arguments": "1"}}
SPOILERS: tuple[tuple[str, str, tuple[object, ...]], ...] = (
    ("chunk", "id", ("", None, 7)),
    ("chunk", "object", ("chat.completion.chunk", "", None, "error", "other")),
    ("chunk", "choices", ((), None, 3, ({"delta": {"content": "a"}}, {"delta": {"content": "b"}}))),
    ("chunk", "usage", ({}, {"completion_tokens": 5, "prompt_tokens": 2.0}, {"x": 1}, 3, None)),
    ("chunk", "x_groq", (None, {"usage": {"completion_tokens": 9}})),
    ("chunk", "error", ODD),
    ("choice", "index", (None, 1, False, 0.0, "0")),
    ("choice", "finish_reason", ("", "stop", "tool_calls", "error", 3)),
    ("choice", "error", ODD),
    ("choice", "object", (None, "error")),
    ("choice", "delta", ODD),
    *(("delta", field, ("x", *ODD)) for field in DELTA_FIELDS),
    *(("delta", field, ({"name": "f"}, *ODD)) for field in ("function_call", "extra_content")),
    ("delta", "tool_calls", ((CALL, {**CALL, "index": 1}), (CALL,), *ODD)),
    ("call", "index", (1, None, "0")),
    ("call", "id", ("call_aaa", "call_bbb", "", None, "null", 1)),
    ("call", "function", ODD),
    *(("call", field, ({"name": "g", "input": "x"}, *ODD)) for field in ("custom", "extra_content")),
    ("function", "name", ("", "f", "g", None, 1)),
    ("function", "arguments", ({}, {"a": 1}, None, 1)),
)
SPOILS = st.sampled_from([(place, key, value) for place, key, values in SPOILERS for value in values])


@st.composite
def chunks(draw: st.DrawFn) -> dict[str, Any]:
    """A plain chunk, of which every second has one or two fields otherwise."""
    delta = draw(DELTAS)
    call = (delta.get("tool_calls") or [{}])[0]
    choice: dict[str, Any] = {"index": 0, "delta": delta}
    chunk: dict[str, Any] = {"id": "c1", "choices": [choice]}
    places = {
        "chunk": chunk,
        "choice": choice,
        "delta": delta,
        "call": call,
        "function": call.get("function", {}),
    }
    for place, key, value in draw(st.lists(SPOILS, max_size=2)):
        places[place][key] = value
    return json.loads(json.dumps(chunk))  # type: ignore[no-any-return]


STREAMS = st.lists(chunks(), min_size=1, max_size=8)
