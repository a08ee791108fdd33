"""Run the real Claude Code, headless, through the router against a scripted upstream in both dialects.

`scripts/claude-code-check --help` says what can be chosen. Exit status 1 when a scenario failed.
"""

import sys
from pathlib import Path

from agent_check import Agent, Start, main
from claude_code_scenarios import PROMPT, SCENARIOS, Scenario


def prepare(_: Scenario, base_url: str, work: Path) -> Start:
    return Start(
        (
            *("-p", PROMPT, "--output-format", "stream-json", "--verbose"),
            *("--allowedTools", "Bash(echo:*)", "Read"),
        ),
        {
            "CLAUDE_CONFIG_DIR": str(work / "home" / "claude"),
            "ANTHROPIC_BASE_URL": base_url,
            "ANTHROPIC_AUTH_TOKEN": "scripted-client",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        },
    )


CLAUDE_CODE = Agent(
    "Claude Code", "@anthropic-ai/claude-code", "claude", SCENARIOS, prepare, can_be_direct=True
)

if __name__ == "__main__":
    sys.exit(main(CLAUDE_CODE))
