"""Deltas: what they say becomes blocks, each edge case by its number."""

from typing import Any

import pytest

from tests.world.chat_streams import END, call, calls, chunk, content, context, sse, told, use
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.events import Failed

CONTENTS = [
    pytest.param(
        [
            calls(call(0, "call_aaaa1", "f", "")),
            calls(call(1, "call_bbbb1", "g", "")),
            calls(call(0, arguments='{"a":')),
            calls(call(1, arguments='{"b":')),
            calls(call(0, arguments="1}")),
            calls(call(1, arguments="2}")),
            END,
        ],
        [use("f", a=1), use("g", b=2)],
        id="edge-01-interleaved-fragments",
    ),
    pytest.param(
        [
            chunk(content="x"),
            calls(call(3, "call_aaaa1", "f", '{"a":1}')),
            calls(call(7, "call_b", "g", "{}")),
            END,
        ],
        [{"text": "x"}, use("f", a=1), use("g")],
        id="edge-02-sparse-indexes",
    ),
    pytest.param(
        [
            calls(call(0, "call_aaaa1", "f", '{"a":')),
            chunk(content="so "),
            calls(call(0, arguments="1}")),
            chunk(content="far"),
            calls(call(1, "call_bbbb1", "g", "{}")),
            END,
        ],
        [use("f", a=1), {"text": "so far"}, use("g")],
        id="edge-03-text-while-a-call-is-open",
    ),
    pytest.param(
        [
            calls(call(0, "call_aaaa1", "f", "{}")),
            chunk(content="\n"),
            calls(call(1, "call_b", "g", "{}")),
            END,
        ],
        [use("f"), use("g")],
        id="edge-03-white-space-between-calls",
    ),
    pytest.param([calls(call(0, "call_aaaa1", "f")), END], [use("f")], id="edge-12-no-fragment"),
    pytest.param(
        [calls(call(0, "call_aaaa1", "f", "")), calls(call(0, arguments="")), END],
        [use("f")],
        id="edge-12-empty",
    ),
    pytest.param([calls(call(0, "call_aaaa1", "f", "null")), END], [use("f")], id="edge-12-null"),
    pytest.param(
        [
            calls(call(0, "call_aaaa1", "f", '{"n":')),
            calls(call(0, arguments="0")),
            calls(call(0, arguments="}")),
            END,
        ],
        [use("f", n=0)],
        id="edge-13-falsy-number",
    ),
    pytest.param(
        [
            calls(call(0, "call_aaaa1", "f", '{"a":[')),
            *(calls(call(0, arguments=text)) for text in ("false", ",", "null", "]}")),
            END,
        ],
        [use("f", a=[False, None])],
        id="edge-13-falsy-words",
    ),
    pytest.param(
        [
            calls(call(0, "call_aaaa1", arguments='{"a"')),
            calls(call(0, name="f")),
            calls(call(0, arguments=":1}")),
            END,
        ],
        [use("f", a=1)],
        id="edge-14-late-name",
    ),
    pytest.param(
        [calls(call(0, "call_aaaa1", "get_")), calls(call(0, name="it")), calls(call(0, arguments="{}")), END],
        [use("get_it")],
        id="edge-14-name-in-pieces",
    ),
    pytest.param(
        [
            calls(call(0, "call_aaaa1", arguments="{")),
            calls(call(0, name="get_")),
            calls(call(0, name="it")),
            calls(call(0, arguments="}")),
            END,
        ],
        [use("get_it")],
        id="edge-14-late-name-in-pieces",
    ),
    pytest.param(
        [calls(call(0, "abcdefghi", "f", '{"a":')), calls(call(0, name="", arguments="1}")), END],
        [use("f", a=1)],
        id="edge-15-empty-name-and-no-id",
    ),
    pytest.param(
        [calls(call(None, "abcdefghi", "f", '{"a":')), calls(call(None, "null", "", "1}")), END],
        [use("f", a=1)],
        id="edge-15-no-index-and-an-id-that-is-null",
    ),
    pytest.param(
        [calls(call(0, "call_aaaa1", "f", '{"a":')), calls(call(0, "call_aaaa1", "f", "1}")), END],
        [use("f", a=1)],
        id="edge-16-repeated-id",
    ),
    pytest.param(
        [calls(call(0, "call_aaaa1", "f", '{"a":1}')), calls(call(0, "call_aaaa1", "f", '{"a":1}')), END],
        [use("f", a=1)],
        id="edge-16-repeated-call",
    ),
    pytest.param(
        [calls(call(0, "call_aaaa1", "f", "{}")), calls(call(0, "call_bbbb1", "f", '{"a":2}')), END],
        [use("f"), use("f", a=2)],
        id="edge-20-another-id-at-the-same-index",
    ),
    pytest.param(
        [calls(call(0, None, "f", "{}"), call(0, None, "g", "{}"), call(None, None, "h", "{}")), END],
        [use("f"), use("g"), use("h")],
        id="edge-18-no-ids-and-one-index",
    ),
    pytest.param(
        [chunk(reasoning_content="hm"), chunk(reasoning_content="m"), chunk(content="Yes"), chunk("stop")],
        [{"thinking": "hmm"}, {"text": "Yes"}],
        id="edge-26-thinking-then-text",
    ),
    pytest.param(
        [chunk(reasoning_content="hm", content=""), calls(call(0, "call_aaaa1", "f", "{}"), content=""), END],
        [{"thinking": "hm"}, use("f")],
        id="edge-27-thinking-then-a-call",
    ),
    pytest.param(
        [
            chunk(reasoning_content="a"),
            chunk(content="b"),
            chunk(reasoning_content="c"),
            chunk(content="d"),
            chunk("stop"),
        ],
        [{"thinking": "a"}, {"text": "b"}, {"thinking": "c"}, {"text": "d"}],
        id="edge-28-thinking-resumes",
    ),
    pytest.param(
        [chunk(reasoning="a", reasoning_details=[{"type": "reasoning.text", "text": "a"}]), chunk("stop")],
        [{"thinking": "a"}],
        id="edge-29-reasoning-and-its-details",
    ),
    pytest.param(
        [chunk(reasoning_details=[{"type": "reasoning.summary", "summary": "a"}]), chunk("stop")],
        [{"thinking": "a"}],
        id="edge-29-details-alone",
    ),
    pytest.param(
        [chunk(reasoning="a", reasoning_content="a"), chunk("stop")],
        [{"thinking": "a"}],
        id="edge-30-two-names",
    ),
    pytest.param(
        [chunk(role="assistant", content=""), chunk(content=""), chunk(content=None), chunk("stop")],
        [],
        id="edge-31-empty-pieces",
    ),
    pytest.param(
        [
            {"choices": [{"index": 1, "delta": {"content": "no"}}]},
            {"choices": [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "yes"}}]},
            {"choices": [{"index": 2, "delta": {}, "finish_reason": "length"}]},
            chunk("stop"),
        ],
        [{"text": "yes"}],
        id="edge-49-only-the-first-choice",
    ),
    pytest.param(
        [
            chunk(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}]),
            chunk(
                content=[
                    {"type": "thinking", "thinking": "b"},
                    {"type": "text", "text": "c"},
                    {"type": "reference"},
                ]
            ),
            chunk("stop", content="d"),
        ],
        [{"thinking": "ab"}, {"text": "cd"}],
        id="edge-59-content-is-a-list",
    ),
    pytest.param(
        [chunk("stop", content="a\u2028b\u0085c😀")],
        [{"text": "a\u2028b\u0085c😀"}],
        id="edge-65-line-separators",
    ),
    pytest.param(
        [
            calls(
                call(
                    0,
                    "call_aaaa1",
                    "multi_tool_use.parallel",
                    '{"tool_uses":[{"recipient_name":"functions.f","parameters":{"a":1}},'
                    '{"recipient_name":"functions.g","parameters":{}}]}',
                )
            ),
            END,
        ],
        [use("f", a=1), use("g")],
        id="edge-135-wrapped-calls",
    ),
    pytest.param(
        [calls(call(0, "call_aaaa1", "parallel", '{"tool_uses":[{"recipient_name":"f"}]}')), END],
        [use("parallel", tool_uses=[{"recipient_name": "f"}])],
        id="edge-135-a-tool-of-that-name",
    ),
    pytest.param(
        [
            chunk(function_call={"name": "f", "arguments": ""}),
            chunk(function_call={"arguments": "{}"}),
            chunk("function_call"),
        ],
        [use("f")],
        id="legacy-function-call",
    ),
    pytest.param(
        [
            calls({"index": 0, "id": "call_aaaa1", "type": "custom", "custom": {"name": "f", "input": "{a"}}),
            calls({"index": 0, "custom": {"input": "}b"}}),
            END,
        ],
        [use("f", input="{a}b")],
        id="edge-136-custom-tool",
    ),
    pytest.param(
        [calls({"index": 0, "id": "call_aaaa1", "function": {"name": "f", "arguments": {"a": 1}}}), END],
        [use("f", a=1)],
        id="arguments-as-an-object",
    ),
    pytest.param(
        [calls(call(0, "call_aaaa1")), chunk("stop", content="x")], [{"text": "x"}], id="call-without-a-name"
    ),
]


@pytest.mark.parametrize(("chunks", "blocks"), CONTENTS)
def test_a_stream_becomes_these_blocks(chunks: list[Any], blocks: list[dict[str, Any]]) -> None:
    assert content(*chunks) == blocks


def test_a_refusal_is_shown_as_text() -> None:
    assert content(chunk(refusal="I "), chunk(refusal="won't"), chunk("stop")) == [{"text": "I won't"}]


def test_the_clients_names_of_tools_come_back() -> None:
    assert content(calls(call(0, "call_aaaa1", "short", "{}")), END, names={"short": "mcp__long"}) == [
        use("mcp__long")
    ]


HIDDEN: dict[str, Any] = {"thinking_wanted": False}


@pytest.mark.parametrize(
    ("chunks", "about", "blocks"),
    [
        pytest.param(
            [chunk(reasoning="a"), chunk(content="b"), chunk("stop")], {}, [{"text": "b"}], id="dropped"
        ),
        pytest.param(
            [chunk(reasoning="a"), calls(call(0, "call_aaaa1", "f", "{}")), END],
            {},
            [use("f")],
            id="dropped-with-a-call",
        ),
        pytest.param(
            [chunk(reasoning="a"), chunk(content="b"), chunk("stop")],
            {"reasoning_history": "reasoning_content"},
            [{"text": "b"}],
            id="required-only-with-calls",
        ),
        pytest.param(
            [chunk(reasoning="a"), chunk(reasoning="b"), calls(call(0, "call_aaaa1", "f", "{}")), END],
            {"reasoning_history": "reasoning_content"},
            [{"thinking": "ab"}, use("f")],
            id="required-with-a-call",
        ),
        pytest.param(
            [calls({**call(0, "call_aaaa1", "f", "{}"), "extra_content": {"google": {"s": 1}}}), END],
            {},
            [{"thinking": ""}, use("f")],
            id="extra-content",
        ),
    ],
)
def test_hidden_thinking_is_shown_only_where_the_provider_needs_it(
    chunks: list[Any], about: dict[str, Any], blocks: list[Any]
) -> None:
    assert content(*chunks, **HIDDEN, **about) == blocks


def test_extra_content_of_calls_travels_before_them_under_the_clients_ids() -> None:
    extra = {"google": {"thought_signature": "abc"}}
    blocks = told(calls({**call(None, "", "f", "{}"), "extra_content": extra}, call(None, "", "g", "{}")), END)[
        "content"
    ]
    thinking, first, second = blocks
    assert thinking == {"thinking": "", "provider": "p", "state": {"extra_content": {first["id"]: extra}}}
    assert (first["tool_use"], second["tool_use"]) == ("f", "g")


def test_encrypted_reasoning_without_text_travels_before_the_call() -> None:
    detail = {"type": "reasoning.encrypted", "data": "xyz", "index": 0}
    events = told(chunk(reasoning_details=[detail]), calls(call(0, "call_aaaa1", "f", "{}")), END)
    assert events["content"][0] == {"thinking": "", "provider": "p", "state": {"reasoning_details": [detail]}}


@pytest.mark.slow
def test_what_must_be_kept_is_bounded() -> None:
    decoder = ChatStreamDecoder(context())
    piece = sse(calls(call(1, "call_bbbb1", "g", "y" * 3_000_000)), done=False)
    events = decoder.feed(sse(calls(call(0, "call_aaaa1", "f", "{")), done=False))
    for _ in range(25):
        events += decoder.feed(piece)
    assert isinstance(events[-1], Failed)
    assert events[-1].error.message == "provider 'p' sent more reasoning or tool input than UCR keeps"
