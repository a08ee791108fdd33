"""Run the real opencode, headless, through the router against a scripted upstream in both dialects.

`scripts/opencode-check --help` says what can be chosen. Exit status 1 when a scenario failed.
"""

import json
import sys
from pathlib import Path

from agent_check import Agent, Start, main
from claude_code_scenarios import PROMPT, Scenario
from opencode_scenarios import PACKAGES, SCENARIOS

from ucr.stress.failing.moves import Json

MODEL = "scripted"


def configuration(package: str, base_url: str) -> Json:
    """Return opencode's own configuration: one provider, the router, asked with an SDK's package."""
    model = {"name": "Scripted", "tool_call": True, "limit": {"context": 200_000, "output": 32_000}}
    options = {"baseURL": f"{base_url}/v1", "apiKey": "scripted-client"}
    provider = {"npm": package, "name": "UCR", "options": options, "models": {MODEL: model}}
    return {
        "autoupdate": False,
        "share": "disabled",
        "permission": {"*": "allow"},
        "provider": {"ucr": provider},
    }


def prepare(scenario: Scenario, base_url: str, work: Path) -> Start:
    package = PACKAGES.get(scenario.name, "@ai-sdk/anthropic")
    (work / "opencode.json").write_text(json.dumps(configuration(package, base_url)), "utf-8")
    return Start(
        ("run", "--model", f"ucr/{MODEL}", "--format", "json", PROMPT),
        dict.fromkeys(
            (
                "OPENCODE_DISABLE_AUTOUPDATE",
                "OPENCODE_DISABLE_DEFAULT_PLUGINS",
                "OPENCODE_DISABLE_MODELS_FETCH",
                "OPENCODE_DISABLE_SHARE",
            ),
            "1",
        ),
    )


OPENCODE = Agent("opencode", "opencode-ai", "opencode", SCENARIOS, prepare)

if __name__ == "__main__":
    sys.exit(main(OPENCODE))
