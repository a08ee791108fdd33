"""What lines come to."""

from typing import Any

import pytest

from tests.world.chat_streams import use
from tests.world.ollama import calling, content, end, line, told


@pytest.mark.parametrize("name", [pytest.param("edge-52", id="edge-52")])
def test_the_last_line_may_have_content(name: str) -> None:
    assert content(line("a"), end("b")) == [{"text": "ab"}]


@pytest.mark.parametrize("name", [pytest.param("edge-54", id="edge-54")])
def test_calls_without_ids_in_lines_of_their_own_are_all_kept(name: str) -> None:
    answer = told(calling("f", a=1), calling("g", 1, b=2), end())
    assert [{k: b[k] for k in b if k != "id"} for b in answer["content"]] == [use("f", a=1), use("g", b=2)]
    ids = [block["id"] for block in answer["content"]]
    assert len(set(ids)) == 2
    assert all(id_.startswith("toolu_") for id_ in ids)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((end("a"),), "end_turn"),
        ((end("a", "length"),), "max_tokens"),
        pytest.param((calling("f"), end()), "tool_use", id="edge-21"),
        ((calling("f"), end("", "length")), "max_tokens"),
        ((end("", "load"),), "end_turn"),
        ((end("", "unload"),), "end_turn"),
        ((end("a", "whatever"),), "end_turn"),
    ],
)
def test_why_it_stopped(values: Any, expected: str) -> None:
    assert told(*values)["stop_reason"] == expected


def test_thinking_and_text_may_alternate() -> None:
    values = (line(thinking="t1"), line("a"), line(thinking="t2"), end("b"))
    assert content(*values) == [{"thinking": "t1"}, {"text": "a"}, {"thinking": "t2"}, {"text": "b"}]
    assert content(*values, thinking_wanted=False) == [{"text": "ab"}]


@pytest.mark.parametrize("name", [pytest.param("edge-55", id="edge-55")])
def test_thinking_within_the_text_is_parted_only_where_configured(name: str) -> None:
    values = (line("<thi"), line("nk>hm</th"), line("ink>\nyes"), end())
    assert content(*values) == [{"text": "<think>hm</think>\nyes"}]
    assert content(*values, split_think=True) == [{"thinking": "hm"}, {"text": "yes"}]


def test_counters_come_with_the_end_and_are_estimated_without() -> None:
    assert told(end("a"))["usage"] == {"input_tokens": 11, "output_tokens": 7}
    bare = told({"message": {"role": "assistant", "content": "abcdefgh"}, "done": True})
    assert bare["usage"] == {"input_tokens": 7, "output_tokens": 2}


def test_names_and_ids_go_back_as_the_client_knows_them() -> None:
    call = {"id": "call_x1", "function": {"name": "short", "arguments": '{"a":1}'}}
    (block,) = told(line(tool_calls=[call]), end(), names={"short": "mcp__long"})["content"]
    assert block == {"id": block["id"], **use("mcp__long", a=1)}
    assert "call_x1" in block["id"]


def test_odd_shapes_are_no_reason_to_fail() -> None:
    assert content({"message": 1}, line(tool_calls=[1, {}, {"function": {"name": ""}}]), end("a")) == [
        {"text": "a"}
    ]
