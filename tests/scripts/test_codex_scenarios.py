from claude_code_upstream import Upstream
from codex_scenarios import SCENARIOS

from ucr.jsontext import loads
from ucr.stress.failing.moves import Say


def test_arguments_name_the_folder_that_codex_works_in() -> None:
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == "custom-tool")
    upstream = Upstream("anthropic")
    upstream.play(scenario, "/work")
    _, _, whole = upstream.answer("/v1/messages", {"model": "m", "tools": [{}], "messages": []})
    assert isinstance(scenario.moves[0], Say)
    assert "Add File: /work/log.txt" in loads(whole)["content"][0]["input"]["input"]
