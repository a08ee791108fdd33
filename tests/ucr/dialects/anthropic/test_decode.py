import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from anthropic.types.beta import BetaMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.anthropic_streams import (
    BROKEN,
    FIXTURES,
    START,
    STOP,
    case_of,
    closed,
    context,
    ended,
    named,
    opened,
    part,
    pieces,
    problems,
    stream,
    stream_files,
    text_block,
)
from ucr.dialects.anthropic import decode, encode
from ucr.errors import UpstreamError
from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Failed,
    InputJsonDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Opaque,
    Ping,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
)


def decoded(data: bytes, size: int = 0, **changes: object) -> list[Event]:
    decoder = decode.MessageDecoder(context(**changes))
    events = [event for piece in pieces(data, size or len(data) or 1) for event in decoder.feed(piece)]
    return [*events, *decoder.close()]


def encoded(events: list[Event]) -> bytes:
    encoder = encode.MessageEncoder("claude-asked")
    return b"".join(encoder.encode(event) for event in events)


def end_of(events: list[Event]) -> MessageDelta:
    assert isinstance(events[-1], MessageStop)
    assert isinstance(events[-2], MessageDelta)
    return events[-2]


def recorded(case: str) -> list[Event]:
    (file,) = [file for file in stream_files() if case_of(file) == case]
    return decoded(stream(file))


@pytest.mark.parametrize("file", stream_files(), ids=case_of)
def test_every_recorded_stream_comes_out_in_the_grammar(file: Path) -> None:
    found = problems(encoded(decoded(stream(file))))
    if case_of(file) == "anthropic-fallback":
        assert all("content_block_start" in problem and "Field required" in problem for problem in found)
    elif case_of(file) == "sdk-incomplete-partial-json":
        assert len(found) == 1 and found[0].endswith("tool input is not JSON")
    else:
        assert found == []


@pytest.mark.parametrize("file", stream_files(), ids=case_of)
def test_any_split_gives_the_same_events(file: Path) -> None:
    data = stream(file)[:20_000]
    whole = repr(decoded(data))
    assert all(repr(decoded(data, size)) == whole for size in (7, 64, 1021))


@pytest.mark.parametrize("file", stream_files(), ids=case_of)
def test_the_quick_way_reads_what_the_general_way_reads(file: Path) -> None:
    data = file.read_bytes().replace(b"\r\n", b"\n")
    assert repr(decoded(data)) == repr(decoded(data.replace(b"\n", b"\r\n")))


@pytest.mark.parametrize("file", stream_files(), ids=case_of)
def test_every_recorded_stream_is_whole(file: Path) -> None:
    events = decoded(stream(file))
    assert isinstance(events[0], MessageStart) or file.parent.name in BROKEN
    assert end_of(events).usage.output_tokens is not None
    cut = stream(file).rindex(b"message_stop")
    assert isinstance(decoded(stream(file)[:cut])[-1], Failed)


@pytest.mark.parametrize(
    ("case", "reason", "usage"),
    [
        pytest.param("sdk-message-delta-omitted-usage", "end_turn", Usage(25, 8, 5, 10), id="edge-164-kept"),
        pytest.param(
            "anthropic-message-delta-input-tokens", "end_turn", Usage(61, 2), id="edge-164-overwritten"
        ),
        pytest.param("sdk-compaction", "end_turn", Usage(30, 8), id="edge-165-compaction"),
        pytest.param("anthropic-fallback", "end_turn", Usage(412, 264, 0, 0), id="edge-165-fallback"),
        pytest.param("sdk-refusal", "refusal", Usage(20, 0), id="edge-70"),
        pytest.param("sdk-incomplete-partial-json", "max_tokens", Usage(450, 124, 0, 0), id="edge-24"),
        pytest.param("sdk-unknown-events", "end_turn", Usage(11, 6), id="edge-64"),
        pytest.param("duplicate-message-start", "end_turn", Usage(17, 227), id="edge-63"),
    ],
)
def test_the_end_of_a_recorded_stream_is_read(case: str, reason: str, usage: Usage) -> None:
    end = end_of(recorded(case))
    assert (end.stop_reason, end.usage) == (reason, usage)


@pytest.mark.parametrize("case", [pytest.param("pause-turn-web-search-01", id="edge-68")])
def test_a_paused_turn_stays_paused(case: str) -> None:
    assert end_of(recorded(case)).stop_reason == "pause_turn"


@pytest.mark.parametrize(
    ("case", "kinds"),
    [
        pytest.param("thinking-redacted-stream-01", {"redacted_thinking", "text"}, id="edge-69-redacted"),
        pytest.param(
            "anthropic-web-search-tool.1",
            {"server_tool_use", "web_search_tool_result", "text"},
            id="edge-69-search",
        ),
    ],
)
def test_blocks_of_the_api_alone_come_through_whole(case: str, kinds: set[str]) -> None:
    (file,) = [file for file in stream_files() if case_of(file) == case]
    sent = _content_blocks(stream(file))
    assert {block["type"] for block in sent} >= kinds
    assert [
        b for b in _content_blocks(encoded(decoded(stream(file)))) if b["type"] not in ("text", "thinking")
    ] == [b for b in sent if b["type"] not in ("text", "thinking")]


def _content_blocks(data: bytes) -> list[dict[str, Any]]:
    lines = [line[6:] for line in data.split(b"\n") if line.startswith(b"data: ")]
    return [
        event["content_block"] for event in map(json.loads, lines) if event["type"] == "content_block_start"
    ]


def test_indexes_become_dense_and_blocks_close_before_others_open() -> None:
    data = named(
        START,
        opened(3, {"type": "text", "text": "a"}),
        opened(7, {"type": "tool_use", "id": "t", "name": "n", "input": {}}),
        part(7, {"type": "input_json_delta", "partial_json": "{}"}),
        ended("tool_use", output_tokens=3),
        STOP,
    )
    assert decoded(data)[1:] == [
        BlockStart(0, Text("")),
        BlockDelta(0, TextDelta("a")),
        BlockStop(0),
        BlockStart(1, ToolUse("t", "n")),
        BlockDelta(1, InputJsonDelta("{}")),
        BlockStop(1),
        MessageDelta("tool_use", Usage(25, 3, 10)),
        MessageStop(),
    ]


def test_tools_get_the_clients_names_back() -> None:
    data = named(START, opened(0, {"type": "tool_use", "id": "t", "name": "short", "input": {}}), closed(0))
    assert BlockStart(0, ToolUse("t", "long")) in decoded(data, names={"short": "long"})


def test_thinking_that_nobody_asked_for_stays_out_and_leaves_no_gap() -> None:
    data = named(
        START,
        opened(0, {"type": "thinking", "thinking": "", "signature": ""}),
        part(0, {"type": "thinking_delta", "thinking": "hm"}),
        closed(0),
        *text_block(1, "hi"),
        ended("end_turn", output_tokens=3),
        STOP,
    )
    assert decoded(data, thinking_wanted=False)[1:4] == [
        BlockStart(0, Text("")),
        BlockDelta(0, TextDelta("hi")),
        BlockStop(0),
    ]
    assert decoded(data)[1:3] == [BlockStart(0, Thinking("")), BlockDelta(0, ThinkingDelta("hm"))]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            named({"type": "ping"}, START, {"type": "ping"}), [Ping, MessageStart, Ping, Failed], id="pings"
        ),
        pytest.param(named(START), [MessageStart, Failed], id="edge-23-cut"),
        pytest.param(b"", [Failed], id="empty"),
        pytest.param(b'{"type":"message"}', [Failed], id="not-a-stream"),
        pytest.param(b"data: {\n\n", [Failed], id="not-json"),
        pytest.param(named(START) + b"data: \xff\n\n", [MessageStart, Failed], id="not-utf-8"),
        pytest.param(named(START, closed(4)), [MessageStart, Failed], id="a-stop-of-nothing"),
        pytest.param(
            named(START, part(0, {"type": "text_delta", "text": "x"})), [MessageStart, Failed], id="no-block"
        ),
        pytest.param(
            named(START, *text_block(0, "x"), START, *text_block(0, "y"), STOP),
            [MessageStart, BlockStart, BlockDelta, BlockStop, Failed],
            id="edge-63-restart",
        ),
        pytest.param(named(START, opened(0, {}), STOP), [MessageStart, Failed], id="no-kind-of-block"),
        pytest.param(named(START, STOP), [MessageStart, Failed], id="neither-content-nor-end"),
        pytest.param(
            named(START, *text_block(0, "x"), STOP),
            [MessageStart, BlockStart, BlockDelta, BlockStop, MessageDelta, MessageStop],
            id="no-reason-to-end",
        ),
        pytest.param(
            named(START, ended("end_turn", output_tokens=0), STOP) + b"data: [DONE]\n\n",
            [MessageStart, MessageDelta, MessageStop],
            id="edge-11-nothing-after-the-end",
        ),
        pytest.param(named(START, {"type": ["x"]}), [MessageStart, Failed], id="type-of-no-type"),
    ],
)
def test_odd_streams_end_as_they_must(data: bytes, expected: list[type]) -> None:
    assert [type(event) for event in decoded(data)] == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"\n", b"\r\n", id="edge-66-crlf"),
        pytest.param(b"\n", b"\r", id="edge-66-cr"),
        pytest.param(b"data: ", b"data:", id="edge-66-no-space"),
        pytest.param(b'"usage": {', b'\ndata: "usage": {', id="edge-66-two-data-lines"),
        pytest.param(b"event: message_start", b"\xef\xbb\xbfevent: message_start", id="edge-66-bom"),
        pytest.param(b"event: ", b": comment\nevent: ", id="comments"),
    ],
)
def test_every_legal_framing_is_read(old: bytes, new: bytes) -> None:
    data = named(START, *text_block(0, "hi"), ended("end_turn", output_tokens=2), STOP)
    assert decoded(data.replace(old, new)) == decoded(data)
    assert decoded(data.replace(old, new), size=1) == decoded(data)


@pytest.mark.parametrize(
    "cut", [pytest.param(1, id="edge-66-no-blank-line"), pytest.param(2, id="edge-66-no-line-end")]
)
def test_the_last_blank_line_may_be_missing(cut: int) -> None:
    data = named(START, *text_block(0, "hi"), ended("end_turn", output_tokens=2), STOP)
    assert decoded(data[:-cut]) == decoded(data)


def test_an_error_in_the_stream_ends_it() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    failed = decoded(named(START, *text_block(0, "x"), error, STOP))[-1]
    assert isinstance(failed, Failed)
    assert (failed.error.type, failed.error.message) == ("overloaded_error", "Overloaded")


def test_a_whole_message_is_read() -> None:
    raw = {
        "id": "msg_1",
        "model": "claude-x",
        "content": [
            {"type": "thinking", "thinking": "t", "signature": "s"},
            {"type": "text", "text": "a"},
            {"type": "future"},
            5,
            {"type": "tool_use", "id": "i", "name": "short", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    reply = decode.reply(json.dumps(raw).encode(), context(names={"short": "long"}, thinking_wanted=False))
    assert reply.content == (Text("a"), Opaque({"type": "future"}), ToolUse("i", "long", '{"a":1}'))
    assert (reply.id, reply.model, reply.stop_reason, reply.usage) == (
        "msg_1",
        "claude-x",
        "tool_use",
        Usage(1, 2),
    )


def replies() -> list[Path]:
    files = [
        *FIXTURES.glob("*/*.response.json"),
        *FIXTURES.glob("anthropic-*/*.json"),
        *FIXTURES.glob("prism-*/*.json"),
    ]
    return sorted(file for file in files if isinstance(json.loads(file.read_bytes()).get("content"), list))


@pytest.mark.parametrize("file", replies(), ids=lambda file: file.stem)
def test_every_recorded_message_comes_out_with_the_same_content(file: Path) -> None:
    raw = json.loads(file.read_bytes())
    written = json.loads(encode.reply(decode.reply(file.read_bytes(), context()), raw["model"]))
    if case_of(file) != "anthropic-fallback":
        BetaMessage.model_validate(written)
    for key in ("id", "model", "role", "type", "stop_reason", "stop_sequence"):
        assert written[key] == raw[key]
    assert [_bare(block) for block in written["content"]] == [_bare(block) for block in raw["content"]]
    for key in ("input_tokens", "output_tokens"):
        assert written["usage"][key] == raw["usage"][key]


def _bare(block: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if value is not None and value != [] and key != "caller"}


@pytest.mark.parametrize(
    ("body", "type_", "fault"),
    [
        (b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}', "overloaded_error", "overload"),
        (b'{"error":{"message":"quota"}}', "api_error", "server"),
        (b"<html>oops</html>", "api_error", "protocol"),
        (b"", "api_error", "protocol"),
        (b"[]", "api_error", "protocol"),
        (b'{"type":"message","content":"x"}', "api_error", "protocol"),
    ],
)
def test_what_is_no_message_is_an_upstream_error(body: bytes, type_: str, fault: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        decode.reply(body, context())
    assert (caught.value.type, caught.value.fault) == (type_, fault)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from(["text", "tool_use", "thinking"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "index", "delta", "message", "usage", "content_block", "text", "stop_reason", "error"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
_TYPES = st.sampled_from(
    [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
        "future",
    ]
)
_EVENTS = st.lists(
    st.builds(
        lambda type_, value: f"data: {json.dumps({**value, 'type': type_})}\n\n".encode(),
        _TYPES,
        st.dictionaries(
            st.sampled_from(["index", "delta", "message", "usage", "content_block", "error"]), _JSON
        ),
    )
    | st.binary(max_size=20),
    max_size=8,
)


@pytest.mark.slow
@settings(max_examples=200)
@given(_EVENTS, st.booleans())
def test_hostile_streams_end_once_and_in_the_grammar(parts: list[bytes], is_started: bool) -> None:
    data = (named(START) if is_started else b"") + b"".join(parts)
    events = decoded(data)
    assert isinstance(events[-1], Failed | MessageStop)
    assert not any(isinstance(event, Failed | MessageStop) for event in events[:-1])
    open_block: int | None = None
    count = 0
    for event in events:
        if isinstance(event, BlockStart):
            assert open_block is None and event.index == count
            open_block, count = count, count + 1
        elif isinstance(event, BlockDelta | BlockStop):
            assert event.index == open_block
            open_block = None if isinstance(event, BlockStop) else open_block
    assert encoded(events)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.binary(max_size=40) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_hostile_bodies_raise_only_upstream_errors(body: bytes) -> None:
    with contextlib.suppress(UpstreamError):
        decode.reply(body, context())
