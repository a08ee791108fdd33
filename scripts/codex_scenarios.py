"""What the scripted upstream says to Codex, and what must then be seen, without I/O."""

import json

from agent_scenarios import THOUGHT, parallel_tools, plain, refused_request, thinking, tool_loop
from claude_code_scenarios import Outcome, Scenario, both, gives_back, says

from ucr.stress.failing.moves import SIGNATURE, Call, Dialect, Say

PATCH = "*** Begin Patch\n*** Add File: {folder}/log.txt\n+The tide turns.\n*** End Patch"
BUILT_IN = "built-in-provider"
"""The scenario that takes the provider that Codex has, which tries a WebSocket first."""


def shell(id_: str, command: str) -> Call:
    return Call(id_, "exec_command", {"cmd": command})


def remembers_thinking(outcome: Outcome, dialect: Dialect) -> str | None:
    """Codex was shown the thinking, and an Anthropic upstream got it back with its signature."""
    if THOUGHT not in outcome.output:
        return f"the thinking {THOUGHT!r} did not reach Codex"
    echoed = json.dumps(outcome.bodies[-1]["messages"])
    if dialect == "anthropic" and SIGNATURE not in echoed:
        return "the thinking's signature did not come back unchanged"
    return "an envelope reached the upstream" if "ucr1." in echoed else None


SCENARIOS = (
    plain(),
    plain(BUILT_IN),
    tool_loop(shell, shell("toolu_read1", "cat {folder}/note.txt")),
    parallel_tools(shell),
    Scenario(
        "custom-tool",
        (Say(calls=(Call("toolu_patch1", "apply_patch", {"input": PATCH}),)), Say("The log is written.")),
        both(says("The log is written."), gives_back({"toolu_patch1": "log.txt"})),
    ),
    thinking(shell, remembers_thinking),
    refused_request(most_requests=2),
)
