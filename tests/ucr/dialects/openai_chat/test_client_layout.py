from typing import Any

import pytest

from ucr.dialects import envelope
from ucr.dialects.openai_chat.client_layout import Entry, pack, restore

TEXTS: list[Any] = [{"type": "text", "text": "one two"}]
CALLS: list[Any] = [{"type": "tool_use", "id": "a"}, {"type": "tool_use", "id": "b"}]
ENTRIES: list[Entry] = [
    ("thinking", 2, "s1"),
    ("text", 3),
    ("redacted", "blob"),
    ("call",),
    ("thinking", 3, "s2"),
    ("text", 4),
    ("call",),
]


def test_blocks_come_back_in_the_order_they_had() -> None:
    assert restore(pack(ENTRIES), "abcde", TEXTS, CALLS) == [
        {"type": "thinking", "thinking": "ab", "signature": "s1"},
        {"type": "text", "text": "one"},
        {"type": "redacted_thinking", "data": "blob"},
        {"type": "tool_use", "id": "a"},
        {"type": "thinking", "thinking": "cde", "signature": "s2"},
        {"type": "text", "text": " two"},
        {"type": "tool_use", "id": "b"},
    ]


def test_thinking_goes_first_when_the_text_was_edited() -> None:
    edited: list[Any] = [{"type": "text", "text": "something else"}]
    assert restore(pack(ENTRIES), "abcde", edited, CALLS) == [
        {"type": "thinking", "thinking": "ab", "signature": "s1"},
        {"type": "redacted_thinking", "data": "blob"},
        {"type": "thinking", "thinking": "cde", "signature": "s2"},
        *edited,
        *CALLS,
    ]


def test_thinking_goes_first_when_a_call_was_taken_away() -> None:
    blocks = restore(pack(ENTRIES), "abcde", TEXTS, CALLS[:1])
    assert blocks is not None
    assert [block["type"] for block in blocks] == [
        "thinking",
        "redacted_thinking",
        "thinking",
        "text",
        "tool_use",
    ]


def test_thinking_whose_text_was_omitted_keeps_its_signature() -> None:
    packed = pack([("thinking", 0, "s"), ("text", 7)])
    assert restore(packed, "", TEXTS, []) == [{"type": "thinking", "thinking": "", "signature": "s"}, *TEXTS]


def test_blank_text_between_blocks_is_left_out() -> None:
    packed = pack([("thinking", 1, "s"), ("text", 1), ("call",), ("text", 7)])
    texts: list[Any] = [{"type": "text", "text": "\none two"}]
    assert restore(packed, "a", texts, CALLS[:1]) == [
        {"type": "thinking", "thinking": "a", "signature": "s"},
        CALLS[0],
        *TEXTS,
    ]


def test_unsigned_thinking_does_not_come_back() -> None:
    packed = pack([("thinking", 1, ""), ("thinking", 1, "s")])
    assert restore(packed, "ab", [], []) == [{"type": "thinking", "thinking": "b", "signature": "s"}]


@pytest.mark.parametrize("entries", [[], [("text", 3)], [("thinking", 3, "")], [("call",)]])
def test_there_is_nothing_to_pack_without_signed_thinking(entries: list[Entry]) -> None:
    assert pack(entries) is None


@pytest.mark.parametrize(
    "packed",
    [
        None,
        7,
        "",
        "a signature of somebody else",
        "ucr1.openai-chat-client.%%%",
        envelope.seal("deepseek", {"blocks": []}),
        envelope.seal("openai-chat-client", {"blocks": 7}),
        envelope.seal("openai-chat-client", {"blocks": [["thinking", -1, "s"], ["thinking", 6, "s"]]}),
        envelope.seal("openai-chat-client", {"blocks": [["thinking", 5]]}),
        envelope.seal("openai-chat-client", {"blocks": [["video"]]}),
    ],
)
def test_a_foreign_or_damaged_field_gives_nothing(packed: object) -> None:
    assert restore(packed, "abcde", TEXTS, CALLS) is None


def test_edited_reasoning_gives_nothing() -> None:
    assert restore(pack(ENTRIES), "abcd", TEXTS, CALLS) is None
