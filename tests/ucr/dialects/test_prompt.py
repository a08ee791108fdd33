"""System prompts that come again: found in the body that has them, never in another place, written as ever, and bounded."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.chat_client import client
from tests.world.reading import told
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.members import LEAST_BYTES, LIMIT_BYTES, LONGEST_BYTES
from ucr.dialects.openai_chat.turns import BILLING_PREFIX
from ucr.dialects.prompt import Prompt, Prompts
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

TURNS = [{"role": "user", "content": "q"}]
TOOLS = [{"name": "a", "description": "d" * LEAST_BYTES, "input_schema": {"type": "object"}}]


def prompt(word: str = "a", size: int = LEAST_BYTES) -> list[JsonObject]:
    mark = {"cache_control": {"type": "ephemeral"}}
    return [{"type": "text", "text": f"{BILLING_PREFIX} x"}, {"type": "text", "text": word * size, **mark}]


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "max_tokens": 9, "messages": TURNS, **fields}).encode()


@pytest.mark.parametrize("first", ["tools", "system"])
def test_a_prompt_that_came_before_is_the_same_object(first: str) -> None:
    client = AnthropicClient()
    parts = {"tools": TOOLS, "system": prompt()}
    parts = {first: parts[first], **parts}
    read = [client.parse(body(**parts, top_k=k), {}) for k in (1, 2)]
    for one in read:
        assert one.body == json.loads(one.raw)
        assert list(one.body) == list(json.loads(one.raw))
    assert read[1].prompt is read[0].prompt is not None
    assert read[1].body["system"] is read[0].prompt.blocks
    assert read[1].toolset is read[0].toolset is not None
    assert abs(read[1].estimate - read[0].estimate) <= 3
    between = b"".join(read[1].raw[start:end] for start, end in read[1].places)
    assert between.startswith(b'{"model": "m"') and between.endswith(b'"top_k": 2}')
    assert b"aaaa" not in between and b"dddd" not in between


def test_another_prompt_a_short_one_or_one_that_is_no_list_is_read_anew() -> None:
    client = AnthropicClient()
    first = client.parse(body(system=prompt()), {})
    assert client.parse(body(system=prompt("b")), {}).prompt is not first.prompt
    for given_ in (prompt(size=1), "a" * 2 * LEAST_BYTES, None):
        for _ in range(2):
            read = client.parse(body(system=given_, tools=TOOLS), {})
            assert read.prompt is None
            assert read.body["system"] == given_
    assert client.parse(body(tools=TOOLS), {}).prompt is None


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "system": prompt()}]}]},
        {"a": {"system": prompt()}, "system": prompt("b")},
        {"a": {"system": prompt()}, "system": None},
        {"a": {"system": prompt()}, "system": prompt()},
        {"metadata": {"system": prompt()}, "system": prompt()},
        {"tools": [{**TOOLS[0], "input_schema": {"type": "object", "system": prompt()}}]},
    ],
)
def test_prompts_elsewhere_in_a_body_stay_where_they_are(fields: dict[str, Any]) -> None:
    client = AnthropicClient()
    client.parse(body(system=prompt()), {})
    for _ in range(2):
        raw = body(**fields)
        assert client.parse(raw, {}).body == json.loads(raw)


def test_who_writes_the_mark_himself_is_read_as_he_wrote() -> None:
    client = AnthropicClient()
    client.parse(body(system=prompt()), {})
    raw = body(a={"system": prompt()}, system="\x00system\x00")
    assert client.parse(raw, {}).body["system"] == "\x00system\x00"


def test_a_prompt_that_is_wrong_is_not_kept() -> None:
    client = AnthropicClient()
    wrong = [*prompt(), {"type": "text", "text": 7}]
    words = set()
    for _ in range(2):
        with pytest.raises(ApiError) as refused:
            client.parse(body(system=wrong), {})
        words.add(refused.value.message)
    assert len(words) == 1 and "system" in words.pop()


@pytest.mark.parametrize(
    "system", [[1], ["a"], [None], [[]], [{}], [{"text": 5}], [{"text": None}], [{"text": ["a"] * LEAST_BYTES}]]
)
def test_where_a_dialect_has_no_such_prompt_anything_may_be_there(system: object) -> None:
    reader = client()
    for _ in range(2):
        raw = body(system=system, user="u" * LEAST_BYTES)
        assert reader.parse(raw, {}).body == json.loads(raw)


def test_prompts_are_bounded_by_number_and_bytes_and_the_latest_are_kept() -> None:
    few, small = Prompts(limit=2), Prompts(limit_bytes=2 * LEAST_BYTES + 400)
    for prompts in (few, small):
        raws = [body(system=prompt(word)) for word in "abc"]
        for raw in raws:
            prompts.learn(raw, json.loads(raw))
        assert [prompts.find(raw) is not None for raw in raws] == [False, True, True]
        assert "2 of" in repr(prompts)
    prompts = Prompts()
    for size in (LONGEST_BYTES, *[LONGEST_BYTES - 300] * 12):
        raw = body(system=prompt(chr(97 + size % 26), size), top_k=size)
        prompts.learn(raw, json.loads(raw))
        assert prompts.bytes <= LIMIT_BYTES


def test_a_prompt_says_how_much_it_is() -> None:
    assert repr(Prompt(b"[]", [])) == "<Prompt of 0 blocks, 2 bytes>"


@given(
    fields=st.dictionaries(
        st.sampled_from(["a", "tools", "system", "metadata"]),
        st.sampled_from(
            [None, prompt(), prompt("b"), TOOLS, {"system": prompt()}, [{"tools": prompt()}], '"system":[', "x"]
        ),
    ),
    before=st.booleans(),
)
def test_a_body_is_read_alike_whatever_is_known(fields: dict[str, Any], before: bool) -> None:
    known = AnthropicClient()
    known.parse(body(system=prompt(), tools=TOOLS), {})
    value = {**fields, **json.loads(body())} if before else {**json.loads(body()), **fields}
    raw = json.dumps(value).encode()
    assert told(known, raw) == told(AnthropicClient(), raw)
