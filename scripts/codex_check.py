"""Run the real Codex, headless, through the router against a scripted upstream in both dialects.

`scripts/codex-check --help` says what can be chosen. Exit status 1 when a scenario failed.
"""

import sys
from pathlib import Path

from agent_check import Agent, Start, main
from claude_code_scenarios import PROMPT, Scenario
from codex_scenarios import BUILT_IN, SCENARIOS

MODEL = "gpt-5.5"
"""A model that Codex knows, so that it offers its custom tool."""

OWN_PROVIDER = """\
model = "{model}"
model_reasoning_summary = "auto"
model_provider = "ucr"

[model_providers.ucr]
name = "UCR"
base_url = "{base_url}/v1"
wire_api = "responses"
"""
BUILT_IN_PROVIDER = """\
model = "{model}"
openai_base_url = "{base_url}/v1"
"""


def prepare(scenario: Scenario, base_url: str, work: Path) -> Start:
    template = BUILT_IN_PROVIDER if scenario.name == BUILT_IN else OWN_PROVIDER
    (work / "home" / "config.toml").write_text(template.format(model=MODEL, base_url=base_url), "utf-8")
    return Start(
        ("exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", PROMPT),
        {"CODEX_HOME": str(work / "home"), "OPENAI_API_KEY": "scripted-client"},
    )


CODEX = Agent("Codex", "@openai/codex", "codex", SCENARIOS, prepare)

if __name__ == "__main__":
    sys.exit(main(CODEX))
