from pathlib import Path

import pytest
from agent_check import Agent, Start
from claude_code_check import CLAUDE_CODE
from claude_code_scenarios import Outcome, Scenario, move_number
from codex_check import CODEX
from gemini_check import GEMINI_CLI
from opencode_check import OPENCODE

AGENTS = (CLAUDE_CODE, CODEX, GEMINI_CLI, OPENCODE)
PLAYED = [(agent, scenario) for agent in AGENTS for scenario in agent.scenarios]
EACH = pytest.mark.parametrize(
    ("agent", "scenario"), PLAYED, ids=[f"{agent.program}-{scenario.name}" for agent, scenario in PLAYED]
)


@EACH
def test_no_scenario_passes_when_nothing_happened(agent: Agent, scenario: Scenario) -> None:
    nothing = Outcome(exit_status=0, output="", events=(), bodies=({"messages": []},), routed=True)
    assert scenario.check(nothing, "anthropic")
    assert scenario.check(nothing, "openai-chat")


@EACH
def test_every_scenario_begins_with_its_first_move(agent: Agent, scenario: Scenario) -> None:
    assert move_number(scenario, {"messages": []}) == 0


@EACH
def test_an_agent_is_sent_to_the_router_and_nowhere_else(
    agent: Agent, scenario: Scenario, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    start = agent.prepare(scenario, "http://127.0.0.1:7", tmp_path)
    assert isinstance(start, Start)
    written = [file.read_text("utf-8") for file in tmp_path.rglob("*") if file.is_file()]
    assert "http://127.0.0.1:7" in "\n".join([*start.variables.values(), *written])


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.program)
def test_scenarios_of_an_agent_have_names_of_their_own(agent: Agent) -> None:
    names = [scenario.name for scenario in agent.scenarios]
    assert len(names) == len(set(names))
    assert {"plain", "tool-loop", "parallel-tools", "thinking", "refused-request"} <= set(names)
