import json

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from claude_code_scenarios import SCENARIOS, Outcome, Scenario, is_routed, move_number, results_of
from claude_code_upstream import Upstream
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from ucr import sse
from ucr.stress.failing.moves import Json, Say

TOOL_LOOP = next(scenario for scenario in SCENARIOS if scenario.name == "tool-loop")
TOOLS = [{"name": "Bash"}]
ANTHROPIC_RESULT = {
    "role": "user",
    "content": [{"type": "tool_result", "tool_use_id": "toolu_shell1", "content": "x"}],
}
CHAT_RESULT = {"role": "tool", "tool_call_id": "toolu_shell1", "content": [{"type": "text", "text": "x"}]}
SAYING = [scenario for scenario in SCENARIOS if isinstance(scenario.moves[0], Say)]


@pytest.mark.parametrize("result", [ANTHROPIC_RESULT, CHAT_RESULT], ids=["anthropic", "openai-chat"])
def test_the_next_move_follows_the_results_of_the_last_one(result: Json) -> None:
    asked = {"role": "user", "content": "Go."}
    assert results_of({"messages": [asked, result]}) == {"toolu_shell1": "x"}
    assert move_number(TOOL_LOOP, {"messages": [asked]}) == 0
    assert move_number(TOOL_LOOP, {"messages": [asked, result]}) == 1


@pytest.mark.parametrize("scenario", SAYING, ids=lambda scenario: scenario.name)
def test_the_anthropic_upstream_speaks_the_official_types(scenario: Scenario) -> None:
    upstream = Upstream("anthropic")
    upstream.play(scenario, "/tmp")
    body: Json = {"model": "m", "tools": TOOLS, "messages": []}
    _, _, whole = upstream.answer("/v1/messages", body)
    Message.model_validate_json(whole)
    _, _, stream = upstream.answer("/v1/messages", body | {"stream": True})
    events = [json.loads(event.data) for event in sse.Decoder().feed(stream)]
    for event in events:
        TypeAdapter(RawMessageStreamEvent).validate_python(event)
    assert events[-1] == {"type": "message_stop"}


@pytest.mark.parametrize("scenario", SAYING, ids=lambda scenario: scenario.name)
def test_the_openai_upstream_speaks_the_official_types(scenario: Scenario) -> None:
    upstream = Upstream("openai-chat")
    upstream.play(scenario, "/tmp")
    body: Json = {"model": "m", "tools": TOOLS, "messages": []}
    _, _, whole = upstream.answer("/v1/chat/completions", body)
    ChatCompletion.model_validate_json(whole)
    _, _, stream = upstream.answer("/v1/chat/completions", body | {"stream": True})
    events = sse.Decoder().feed(stream)
    for event in events[:-1]:
        ChatCompletionChunk.model_validate_json(event.data)
    assert events[-1].data == "[DONE]"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_scenario_passes_when_nothing_happened(scenario: Scenario) -> None:
    nothing = Outcome(exit_status=0, output="", events=(), bodies=({"messages": []},), routed=True)
    assert scenario.check(nothing, "anthropic")
    assert is_routed(nothing)
