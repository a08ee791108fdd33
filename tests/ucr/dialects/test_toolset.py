"""Tools that come again: found in the body that has them, never in another place, and bounded."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.reading import told
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.members import LEAST_BYTES, LIMIT_BYTES, LONGEST_BYTES
from ucr.dialects.toolset import Toolset, Toolsets
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

TURNS = [{"role": "user", "content": "q"}]


def tools(name: str = "a", size: int = LEAST_BYTES) -> list[JsonObject]:
    return [{"name": name, "description": "d" * size, "input_schema": {"type": "object"}}]


def body(*, spaced: bool = False, **fields: Any) -> bytes:
    value = {"model": "m", "max_tokens": 9, "messages": TURNS, **fields}
    return json.dumps(value, separators=(", ", ": ") if spaced else (",", ":")).encode()


@pytest.mark.parametrize("spaced", [False, True])
def test_tools_that_came_before_are_the_same_objects(spaced: bool) -> None:
    client = AnthropicClient()
    first, second = (client.parse(body(tools=tools(), top_k=k, spaced=spaced), {}) for k in (1, 2))
    assert first.body == json.loads(first.raw)
    assert second.body == json.loads(second.raw)
    assert list(second.body) == list(json.loads(second.raw))
    assert second.body["tools"] is first.body["tools"]
    assert second.toolset is first.toolset is not None
    assert client.canonical(second).body["tools"] is first.body["tools"]
    assert abs(second.estimate - first.estimate) <= 2


def test_other_tools_or_few_are_read_anew() -> None:
    client = AnthropicClient()
    first = client.parse(body(tools=tools()), {})
    assert client.parse(body(tools=tools("b")), {}).toolset is not first.toolset
    assert client.parse(body(tools=tools(size=0)), {}).toolset is None
    assert client.parse(body(), {}).toolset is None
    assert client.parse(body(tools=None), {}).toolset is None
    assert AnthropicClient().parse(body(tools=tools()), {}).toolset is not first.toolset


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "tools": tools()}]}]},
        {"a": {"tools": tools()}, "tools": tools("b")},
        {"a": {"tools": tools()}, "tools": None},
        {"a": {"tools": tools()}, "tools": tools()},
        {"system": '"tools":' + json.dumps(tools()), "tools": tools()},
        {"metadata": {"tools": tools()}, "tools": tools()},
    ],
)
def test_tools_elsewhere_in_a_body_stay_where_they_are(fields: dict[str, Any]) -> None:
    client = AnthropicClient()
    client.parse(body(tools=tools()), {})
    for _ in range(2):
        raw = body(**fields)
        assert client.parse(raw, {}).body == json.loads(raw)


def test_who_writes_the_mark_himself_is_read_as_he_wrote() -> None:
    client = AnthropicClient()
    client.parse(body(tools=tools()), {})
    with pytest.raises(ApiError, match="tools: Input should be a valid list"):
        client.parse(body(a={"tools": tools()}, tools="\x00tools\x00"), {})


@pytest.mark.parametrize(
    "extra", [b', "tools": [1]', b', "max_tokens": "x"', b", ", b', "a": \xff', b', "b": "\\ud800"']
)
def test_what_is_wrong_with_a_body_is_told_as_ever(extra: bytes) -> None:
    known, fresh = AnthropicClient(), AnthropicClient()
    known.parse(body(tools=tools()), {})
    raw = body(tools=tools())[:-1] + extra + b"}"
    told = []
    for client in (known, fresh):
        try:
            told.append((client.parse(raw, {}).body, ""))
        except ApiError as error:
            told.append(({}, error.message))
    assert told[0] == told[1]


def test_a_known_text_is_taken_with_nothing_behind_it() -> None:
    toolsets = Toolsets()
    raw = body(tools=tools())
    toolsets.learn(raw, json.loads(raw))
    for other in (raw.replace(b"}}]", b"}} ]"), raw.replace(b"}}]", b'}},{"name":"b"}]'), raw[:-3]):
        assert toolsets.find(other) is None


def test_toolsets_are_bounded_by_number_and_bytes_and_the_latest_are_kept() -> None:
    few, small = Toolsets(limit=2), Toolsets(limit_bytes=2 * LEAST_BYTES + 300)
    for toolsets in (few, small):
        raws = [body(tools=tools(name)) for name in "abc"]
        for raw in raws[:2]:
            toolsets.learn(raw, json.loads(raw))
        assert toolsets.find(raws[0]) is not None
        toolsets.learn(raws[2], json.loads(raws[2]))
        assert [toolsets.find(raw) is not None for raw in raws] == [True, False, True]
        assert toolsets.bytes <= 2 * LEAST_BYTES + 300
        assert "2 of" in repr(toolsets)
        for _ in range(3):
            toolsets.learn(raws[0], json.loads(raws[0]))
        assert "2 of" in repr(toolsets)


def test_what_is_too_long_is_not_kept() -> None:
    toolsets = Toolsets()
    raw = body(tools=tools(size=LONGEST_BYTES))
    assert toolsets.learn(raw, json.loads(raw)) is None
    for number in range(12):
        raw = body(tools=tools(str(number), LONGEST_BYTES - 200))
        toolsets.learn(raw, json.loads(raw))
        assert toolsets.bytes <= LIMIT_BYTES


def test_a_toolset_says_how_much_it_is() -> None:
    assert repr(Toolset(b"[]", [])) == "<Toolset of 0 tools, 2 bytes>"


@given(
    fields=st.dictionaries(
        st.sampled_from(["a", "tools", "system", "metadata"]),
        st.sampled_from(
            [None, tools(), tools("b"), {"tools": tools()}, [{"tools": tools()}], '"tools":[', "x"]
        ),
    ),
    before=st.booleans(),
)
def test_a_body_is_read_alike_whatever_is_known(fields: dict[str, Any], before: bool) -> None:
    known = AnthropicClient()
    known.parse(body(tools=tools()), {})
    value = {**fields, **json.loads(body())} if before else {**json.loads(body()), **fields}
    raw = json.dumps(value).encode()
    assert told(known, raw) == told(AnthropicClient(), raw)
