"""Beginnings of conversations: found in the body that goes on with them, never in another place, and bounded."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.chat import assistant, capture, text, user
from tests.world.reading import told
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.beginnings import LEAST_BYTES, LIMIT, LONGEST_BYTES, MARK_TEXT, Beginnings
from ucr.dialects.members import LEAST_BYTES as TOOLS_BYTES
from ucr.jsontext import JsonObject

LONG = "w" * LEAST_BYTES
MARK = {"cache_control": {"type": "ephemeral"}}
TOOLS = [{"name": "a", "description": "d" * TOOLS_BYTES, "input_schema": {"type": "object"}}]


def turns(count: int, first: str = "") -> list[JsonObject]:
    """So many turns that begin with the user's; the last one bears a mark, as those of Claude Code do."""
    made = [assistant(text(f"t{at}")) if at % 2 else user(text(f"t{at}")) for at in range(count)]
    made[0] = user(text(first + LONG))
    made[-1] = {**made[-1], "content": [{**made[-1]["content"][0], **MARK}]}
    return made


def body(messages: Any, *, spaced: bool = True, **fields: Any) -> bytes:
    value = {"model": "m", "messages": messages, "max_tokens": 9, **fields}
    return json.dumps(value, separators=(", ", ": ") if spaced else (",", ":")).encode()


@pytest.mark.parametrize("spaced", [False, True])
@pytest.mark.parametrize("tools", [None, TOOLS])
def test_turns_that_came_before_are_the_same_objects(spaced: bool, tools: Any) -> None:
    client = AnthropicClient()
    seen: list[JsonObject] = []
    for count in range(3, 13, 2):
        raw = body(turns(count), spaced=spaced, tools=tools)
        request = client.parse(raw, {})
        assert request.body == json.loads(raw)
        assert list(request.body) == list(json.loads(raw))
        found = request.body["messages"]
        assert [turn is known for turn, known in zip(found, seen, strict=False)] == [True] * len(seen)
        assert request.beginning is not None
        assert request.beginning.turns == found[: count - 2]
        assert abs(request.estimate - AnthropicClient().parse(raw, {}).estimate) <= 4
        seen = found[: count - 2]
    assert len(seen) == 9


def test_a_body_that_comes_again_is_known_but_for_its_end() -> None:
    client = AnthropicClient()
    first, second = (client.parse(body(turns(5)), {}) for _ in range(2))
    assert second.beginning is first.beginning is not None
    assert second.body["messages"][:3] == first.beginning.turns


def test_a_mark_that_stays_where_it_is_keeps_no_beginning_short() -> None:
    marked = [user(text(LONG, **MARK)), *turns(9)[1:]]
    request = AnthropicClient().parse(body(marked), {})
    assert request.beginning is not None
    assert len(request.beginning.turns) == 7


@pytest.mark.parametrize(
    ("marked", "count"), [((8,), 7), ((7,), 7), ((6, 8), 5), ((5, 8), 5), ((7, 8), 7), ((), 7)]
)
def test_a_beginning_ends_before_the_marks_at_the_end(marked: tuple[int, ...], count: int) -> None:
    listed = turns(9)
    for at in range(5, 9):
        listed[at] = {**listed[at], "content": [text("t", **(MARK if at in marked else {}))]}
    request = AnthropicClient().parse(body(listed), {})
    assert request.beginning is not None
    assert len(request.beginning.turns) == count


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(body([user(LONG)]), id="no-answer"),
        pytest.param(body([user("q"), assistant("a"), user("q")]), id="short"),
        pytest.param(body([user(LONG), user(LONG), user("q")]), id="users-alone"),
        pytest.param(json.dumps(json.loads(body(turns(5))), indent=1).encode(), id="other-spaces"),
        pytest.param(body(turns(5)).replace(b'"messages"', b'"mess\\u0061ges"'), id="other-spelling"),
        pytest.param(
            body([*turns(5), assistant({"type": "web_search_tool_result", "tool_use_id": "s", "content": []})]),
            id="rarer",
        ),
    ],
)
def test_of_others_no_beginning_is_kept(raw: bytes) -> None:
    client = AnthropicClient()
    for _ in range(2):
        request = client.parse(raw, {})
        assert request.beginning is None
        assert request.body == json.loads(raw)


def test_a_conversation_that_was_changed_is_read_anew() -> None:
    client = AnthropicClient()
    client.parse(body(turns(7)), {})
    other = turns(7)
    other[2] = user(text("other"))
    request = client.parse(body(other), {})
    assert request.body["messages"] == other
    assert client.parse(body(turns(7)), {}).body["messages"] == turns(7)


def test_what_is_nothing_but_a_beginning_is_read_as_ever() -> None:
    client = AnthropicClient()
    client.parse(body(turns(7)), {})
    assert client.parse(body(turns(7)[:5]), {}).body["messages"] == turns(7)[:5]


@pytest.mark.parametrize(
    "extra", [b"1", b', {"role": "user"}', b", ", b"\xff", b',{"role":"user","content":"\\ud800"}']
)
def test_what_is_wrong_with_the_rest_is_told_as_ever(extra: bytes) -> None:
    known = AnthropicClient()
    raw = body(turns(7))
    known.parse(raw, {})
    raw = raw.replace(b'}], "max_tokens', b"}" + extra + b'], "max_tokens')
    assert extra in raw
    assert told(known, raw) == told(AnthropicClient(), raw)


def test_who_writes_the_mark_himself_is_read_as_he_wrote() -> None:
    client = AnthropicClient()
    client.parse(body(turns(7)), {})
    for messages in (["\x00turns\x00", *turns(7)], turns(7)):
        raw = body(messages, metadata={"messages": turns(7), "a": "\x00turns\x00"})
        assert told(client, raw) == told(AnthropicClient(), raw)


@given(
    fields=st.dictionaries(
        st.sampled_from(["a", "messages", "system", "metadata", "tools"]),
        st.sampled_from(
            [None, turns(7), turns(5), {"messages": turns(7)}, [{"messages": turns(7)}], '"messages": [', "x"]
        ),
    ),
    before=st.booleans(),
    doubled=st.booleans(),
)
def test_a_body_is_read_alike_whatever_is_known(fields: dict[str, Any], before: bool, doubled: bool) -> None:
    known = AnthropicClient()
    known.parse(body(turns(7)), {})
    plain = json.loads(body(turns(9)))
    raw = json.dumps({**fields, **plain} if before else {**plain, **fields}).encode()
    if doubled:
        raw = raw[:-1] + b', "messages": ' + json.dumps(turns(7)).encode() + b"}"
    assert told(known, raw) == told(AnthropicClient(), raw)


def learn(beginnings: Beginnings, raw: bytes) -> None:
    beginnings.learn(raw, json.loads(raw)["messages"], None)


def test_beginnings_are_bounded_by_number_and_the_latest_are_kept() -> None:
    beginnings = Beginnings(limit=2)
    raws = [body(turns(3, first)) for first in "abc"]
    for raw in raws[:2]:
        learn(beginnings, raw)
    assert beginnings.find(raws[0]) is not None
    learn(beginnings, raws[2])
    assert [beginnings.find(raw) is not None for raw in raws] == [True, False, True]
    assert "2 of" in repr(beginnings)


def test_beginnings_that_begin_alike_are_bounded_as_well() -> None:
    beginnings = Beginnings(limit=2)
    raws = [body([*turns(3)[:1], assistant(name), user("q"), assistant("a"), user("q")]) for name in "abc"]
    for raw in raws:
        learn(beginnings, raw)
    assert [beginnings.find(raw) is not None for raw in raws] == [False, True, True]


def test_beginnings_are_bounded_by_what_they_take_in_memory() -> None:
    raws = [
        body([*turns(3)[:1], assistant(name * 30_000), user("q"), assistant("a"), user("q")])
        for name in "abcdef"
    ]
    limit_bytes = 300_000
    beginnings = Beginnings(limit_bytes=limit_bytes)
    for raw in raws:
        learn(beginnings, raw)
        assert beginnings.bytes <= limit_bytes
    assert [beginnings.find(raw) is not None for raw in raws] == [False] * 4 + [True] * 2


def test_many_small_values_weigh_what_they_take_and_not_what_they_are_written_in() -> None:
    wide = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": [{}] * (LONGEST_BYTES // 128)}}
    raw = body([user(LONG), assistant(wide), user("q"), assistant("a"), user("q")])
    assert len(raw) < LONGEST_BYTES // 8
    beginnings = Beginnings()
    learn(beginnings, raw)
    assert beginnings.bytes == 0


def test_a_conversation_that_goes_on_is_kept_once() -> None:
    client, beginnings = AnthropicClient(), Beginnings()
    known = None
    for count in range(3, 3 + 2 * LIMIT, 2):
        raw = body(turns(count))
        found = beginnings.find(raw)
        known = None if found is None else found[1]
        rest = raw if known is None else raw.replace(known.text, MARK_TEXT)
        beginnings.learn(rest, client.parse(raw, {}).body["messages"], known)
    assert repr(beginnings).startswith("<Beginnings: 1 of")
    assert known is not None
    assert repr(known) == f"<Beginning of {len(known.turns)} turns, {len(known.text)} bytes>"


@pytest.mark.parametrize("name", ["tool-loop", "parallel-tools", "compact", "subagent", "image"])
def test_recorded_conversations_are_read_alike(name: str) -> None:
    client, recorded = AnthropicClient(), capture(name)
    recorded["messages"][0] = user(text(LONG))
    for _ in range(3):
        raw = json.dumps(recorded, separators=(",", ":")).encode()
        assert client.parse(raw, {}).body == json.loads(raw)
        recorded["messages"] += [assistant(text("a")), user(text("q"))]
