import json

from ucr.stress.real.agent import TOOLS, asked
from ucr.stress.real.load import post
from ucr.stress.real.upstream import MARK, called


def test_it_is_as_large_as_an_agents_request_and_each_call_of_a_tool_has_its_result() -> None:
    body = asked("mark-00000001", "pieces=3", stream=True, model="m")
    assert 60_000 < len(json.dumps(body)) < 120_000
    assert len(body["tools"]) == TOOLS
    blocks = [block for turn in body["messages"] for block in turn["content"]]
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    assert calls == [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant"] * (
        len(body["messages"]) // 2
    ) + ["user"]


def test_its_mark_and_its_orders_are_the_only_ones() -> None:
    request = post("mark-00000001", stream=True, model="m", orders="pieces=3 pause=0.5", is_agent=True)
    assert MARK.findall(request) == [b"mark-00000001"]
    call = called("/v1/messages", request)
    assert (call.pieces, call.pause_s, call.streams) == (3, 0.5, True)
    assert b"anthropic-beta: " in request
