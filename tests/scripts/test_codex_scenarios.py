import pytest
from claude_code_scenarios import Outcome, Say, move_number
from claude_code_upstream import Upstream
from codex_scenarios import SCENARIOS, CodexScenario

from ucr.jsontext import loads


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_scenario_passes_when_nothing_happened(scenario: CodexScenario) -> None:
    nothing = Outcome(exit_status=0, output="", events=(), bodies=({"messages": []},), routed=True)
    assert scenario.check(nothing, "anthropic")
    assert scenario.check(nothing, "openai-chat")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_scenario_begins_with_its_first_move(scenario: CodexScenario) -> None:
    assert move_number(scenario, {"messages": []}) == 0


def test_arguments_name_the_folder_that_codex_works_in() -> None:
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == "custom-tool")
    upstream = Upstream("anthropic")
    upstream.play(scenario, "/work")
    _, _, whole = upstream.answer("/v1/messages", {"model": "m", "tools": [{}], "messages": []})
    assert isinstance(scenario.moves[0], Say)
    assert "Add File: /work/log.txt" in loads(whole)["content"][0]["input"]["input"]
