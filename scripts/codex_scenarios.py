"""What the scripted upstream says to Codex, and what must then be seen, without I/O."""

import json
from dataclasses import dataclass

from claude_code_scenarios import (
    NOTE,
    SIGNATURE,
    Call,
    Check,
    Dialect,
    Outcome,
    Refuse,
    Say,
    Scenario,
    both,
    gives_back,
    says,
)

PATCH = "*** Begin Patch\n*** Add File: {folder}/log.txt\n+The tide turns.\n*** End Patch"
THOUGHT = "Tides come before ships."


@dataclass(frozen=True, slots=True)
class CodexScenario(Scenario):
    """A scenario; `is_built_in` takes the provider that Codex has, which tries a WebSocket first."""

    is_built_in: bool = False


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


def refuses(words: str, most_requests: int) -> Check:
    """Codex ends in an error that has these words, after few requests."""

    def check(outcome: Outcome, _: Dialect) -> str | None:
        if words not in outcome.output:
            return f"{words!r} not in {outcome.output[-300:]!r}"
        if len(outcome.bodies) > most_requests:
            return f"{len(outcome.bodies)} requests reached the upstream, more than {most_requests}"
        return "exit status 0 in spite of the error" if outcome.exit_status == 0 else None

    return check


SCENARIOS = (
    CodexScenario("plain", (Say("The harbour is calm today."),), says("The harbour is calm today.")),
    CodexScenario(
        "built-in-provider",
        (Say("The harbour is calm today."),),
        says("The harbour is calm today."),
        is_built_in=True,
    ),
    CodexScenario(
        "tool-loop",
        (
            Say("First the shell.", calls=(shell("toolu_shell1", "echo ucr-$((6*7))"),)),
            Say("Then the file.", calls=(shell("toolu_read1", "cat {folder}/note.txt"),)),
            Say("Both tools answered."),
        ),
        both(says("Both tools answered."), gives_back({"toolu_shell1": "ucr-42", "toolu_read1": NOTE})),
    ),
    CodexScenario(
        "parallel-tools",
        (
            Say(calls=(shell("toolu_east1", "echo east-$((1+1))"), shell("toolu_west1", "echo west-$((2+2))"))),
            Say("East and west are in."),
        ),
        both(says("East and west are in."), gives_back({"toolu_east1": "east-2", "toolu_west1": "west-4"})),
    ),
    CodexScenario(
        "custom-tool",
        (Say(calls=(Call("toolu_patch1", "apply_patch", {"input": PATCH}),)), Say("The log is written.")),
        both(says("The log is written."), gives_back({"toolu_patch1": "log.txt"})),
    ),
    CodexScenario(
        "thinking",
        (
            Say("Let me look.", THOUGHT, (shell("toolu_tide1", "echo tide-$((3*3))"),)),
            Say("The tide is right."),
        ),
        both(says("The tide is right."), gives_back({"toolu_tide1": "tide-9"}), remembers_thinking),
    ),
    CodexScenario(
        "refused-request",
        (Refuse(400, "invalid_request_error", "The chart of the harbour is upside down."),),
        refuses("The chart of the harbour is upside down.", most_requests=2),
    ),
)
