import pytest
from msgspec import convert

from ucr.dialects.anthropic.open_block import OpenBlock, Piece
from ucr.events import (
    Block,
    BlockDelta,
    BlockStart,
    BlockStop,
    InputJsonDelta,
    Opaque,
    OpaqueDelta,
    SignatureDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
)


def opened(block: Block, is_hidden: bool = False) -> OpenBlock:
    return OpenBlock(5, 2, block, is_hidden)


def test_what_a_start_already_holds_follows_as_deltas() -> None:
    assert opened(Text("hi")).start() == [BlockStart(2, Text("")), BlockDelta(2, TextDelta("hi"))]
    assert opened(Thinking("hm")).start() == [BlockStart(2, Thinking("")), BlockDelta(2, ThinkingDelta("hm"))]
    assert opened(ToolUse("i", "n", '{"a":1}')).start() == [BlockStart(2, ToolUse("i", "n"))]


def test_an_input_that_came_with_the_start_is_given_unless_deltas_did() -> None:
    whole = opened(ToolUse("i", "n", '{"a":1}'))
    assert whole.delta({"type": "input_json_delta", "partial_json": ""}) == [BlockDelta(2, InputJsonDelta(""))]
    assert whole.stop() == [BlockDelta(2, InputJsonDelta('{"a":1}')), BlockStop(2)]
    parts = opened(ToolUse("i", "n", '{"a":1}'))
    assert parts.delta({"type": "input_json_delta", "partial_json": "{}"}) == [
        BlockDelta(2, InputJsonDelta("{}"))
    ]
    assert parts.stop() == [BlockStop(2)]


def test_the_signature_comes_once_and_last() -> None:
    block = opened(Thinking("", "early"))
    assert block.delta({"type": "signature_delta", "signature": "one"}) == []
    assert block.delta({"type": "signature_delta", "signature": "two"}) == []
    assert block.delta({"type": "thinking_delta", "thinking": "x"}) == [BlockDelta(2, ThinkingDelta("x"))]
    assert block.stop() == [BlockDelta(2, SignatureDelta("two")), BlockStop(2)]


def test_a_delta_of_another_kind_is_skipped_and_an_opaque_block_keeps_its_own() -> None:
    assert opened(Text("")).delta({"type": "input_json_delta", "partial_json": "{}"}) == []
    assert opened(Text("")).delta({"type": "text_delta", "text": None}) == []
    assert opened(Text("")).delta({}) == []
    cited = {"type": "citations_delta", "citation": {"a": 1}}
    assert opened(Text("")).delta(cited) == [BlockDelta(2, OpaqueDelta(cited))]
    future = {"type": "future_delta", "x": 1}
    assert opened(Opaque({"type": "future"})).delta(future) == [BlockDelta(2, OpaqueDelta(future))]


def test_a_hidden_block_gives_nothing() -> None:
    block = opened(Thinking("x", "s"), is_hidden=True)
    assert [*block.start(), *block.delta({"type": "thinking_delta", "thinking": "y"}), *block.stop()] == []


@pytest.mark.parametrize(
    "block", [Text(""), Thinking(""), ToolUse("i", "n", '{"a":1}'), Opaque({"type": "future"})]
)
@pytest.mark.parametrize("is_hidden", [False, True])
@pytest.mark.parametrize(
    "raw",
    [
        {"type": "text_delta", "text": "x"},
        {"type": "text_delta", "text": ""},
        {"type": "thinking_delta", "thinking": "x", "text": "y"},
        {"type": "input_json_delta", "partial_json": "{}"},
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "text_delta"},
        {"type": "signature_delta", "signature": "x"},
        {"type": "future_delta", "text": "x"},
    ],
)
def test_a_piece_that_is_taken_is_read_as_its_dictionary_is(
    block: Block, is_hidden: bool, raw: dict[str, str]
) -> None:
    quick, general = opened(block, is_hidden), opened(block, is_hidden)
    events = quick.go_on(convert(raw, Piece))
    if events is not None:
        assert events == general.delta(raw)
        assert quick.stop() == general.stop()


def test_pieces_of_the_blocks_own_kind_are_taken() -> None:
    assert opened(Text("")).go_on(Piece("text_delta", text="x")) == [BlockDelta(2, TextDelta("x"))]
    assert opened(Thinking("")).go_on(Piece("thinking_delta", thinking="x")) == [
        BlockDelta(2, ThinkingDelta("x"))
    ]
    said = opened(ToolUse("i", "n")).go_on(Piece("input_json_delta", partial_json="{"))
    assert said == [BlockDelta(2, InputJsonDelta("{"))]
    assert opened(Text("")).go_on(Piece("thinking_delta", thinking="x")) is None
    assert opened(Opaque({"type": "future"})).go_on(Piece("text_delta", text="x")) is None
