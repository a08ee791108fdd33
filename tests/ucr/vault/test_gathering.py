"""What is gathered from the events of an answer."""

from ucr.events import (
    Block,
    BlockDelta,
    BlockStart,
    BlockStop,
    MessageStop,
    RedactedThinking,
    Reply,
    SignatureDelta,
    Text,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
)
from ucr.vault.gathering import MOST_BYTES, Gatherer
from ucr.vault.state import State, read

SIGNED = Thinking("t", "s")
BLOCK = {"type": "thinking", "thinking": "t", "signature": "s"}


def gathered(*blocks: Block) -> dict[str, State | None]:
    kept: dict[str, State | None] = {}
    gatherer = Gatherer(lambda id_, data: kept.setdefault(id_, read(data)))
    gatherer.take_reply(Reply("m", "model", blocks, "tool_use", Usage()))
    return kept


def test_each_call_gets_the_thinking_that_stood_before_it() -> None:
    hidden = {"type": "redacted_thinking", "data": "d"}
    blocks = (
        SIGNED,
        Text("x"),
        RedactedThinking("d"),
        ToolUse("a", "f"),
        SIGNED,
        ToolUse("b", "f"),
        ToolUse("c", "f"),
    )
    assert gathered(*blocks) == {"a": State([BLOCK], [hidden]), "b": State([], [BLOCK])}


def test_an_answer_without_calls_or_without_signatures_has_no_state() -> None:
    assert gathered(SIGNED, Text("x")) == {}
    assert gathered(Thinking("t"), ToolUse("a", "f")) == {}


def test_pieces_are_put_together_and_given_away_at_the_proper_end_alone() -> None:
    kept: dict[str, State | None] = {}
    gatherer = Gatherer(lambda id_, data: kept.setdefault(id_, read(data)))
    for event in (
        BlockStart(0, Thinking("")),
        BlockDelta(0, ThinkingDelta("t")),
        BlockDelta(0, ThinkingDelta("u")),
        BlockDelta(0, SignatureDelta("s")),
        BlockStop(0),
        BlockStart(1, ToolUse("a", "f")),
        BlockStop(1),
    ):
        gatherer.take(event)
    assert kept == {}
    gatherer.take(MessageStop())
    gatherer.take(MessageStop())
    assert kept == {"a": State([{**BLOCK, "thinking": "tu"}], [])}


def test_too_much_is_not_kept() -> None:
    assert gathered(Thinking("t" * MOST_BYTES, "s"), ToolUse("a", "f")) == {}
    assert gathered(RedactedThinking("t" * (MOST_BYTES + 1)), ToolUse("a", "f")) == {}
    assert list(gathered(Thinking("t" * (MOST_BYTES - 1), "s"), ToolUse("a", "f"))) == ["a"]
