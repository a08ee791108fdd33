"""Run the real gemini-cli, headless, through the router against a scripted upstream in both dialects.

`scripts/gemini-check --help` says what can be chosen. Exit status 1 when a scenario failed.
"""

import json
import sys
from pathlib import Path

from agent_check import Agent, Start, main
from claude_code_scenarios import PROMPT, Scenario
from gemini_scenarios import SCENARIOS

MODEL = "gemini-2.5-pro"
SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
}


def prepare(_: Scenario, base_url: str, work: Path) -> Start:
    settings = work / "home" / ".gemini" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps(SETTINGS), "utf-8")
    return Start(
        ("-m", MODEL, "-p", PROMPT, "--yolo", "--skip-trust", "--output-format", "json"),
        {
            "GEMINI_API_KEY": "scripted-client",
            "GOOGLE_GEMINI_BASE_URL": base_url,
            "GEMINI_CLI_NO_RELAUNCH": "1",
        },
    )


GEMINI_CLI = Agent("gemini-cli", "@google/gemini-cli", "gemini", SCENARIOS, prepare)

if __name__ == "__main__":
    sys.exit(main(GEMINI_CLI))
