"""The scenarios that every agent has: what differs is how each names its shell and how it reads a file."""

from collections.abc import Callable

from claude_code_scenarios import NOTE, Check, Outcome, Scenario, both, gives_back, says

from ucr.stress.failing.moves import Call, Dialect, Refuse, Say

THOUGHT = "Tides come before ships."
REFUSAL = "The chart of the harbour is upside down."

Shell = Callable[[str, str], Call]
"""Makes a call of an agent's shell from an id and a command."""


def printed(word: str, number: str) -> str:
    """Return a command whose output does not stand in it; some agents refuse substitutions."""
    return f"printf '{word}-%d' {number}"


def plain(name: str = "plain") -> Scenario:
    return Scenario(name, (Say("The harbour is calm today."),), says("The harbour is calm today."))


def tool_loop(shell: Shell, read: Call, name: str = "tool-loop") -> Scenario:
    """A call of the shell, then `read`, which reads `{folder}/note.txt`, then the last word."""
    return Scenario(
        name,
        (
            Say("First the shell.", calls=(shell("toolu_shell1", printed("ucr", "0x2a")),)),
            Say("Then the file.", calls=(read,)),
            Say("Both tools answered."),
        ),
        both(says("Both tools answered."), gives_back({"toolu_shell1": "ucr-42", read.id: NOTE})),
    )


def parallel_tools(shell: Shell) -> Scenario:
    calls = (shell("toolu_east1", printed("east", "0x2")), shell("toolu_west1", printed("west", "0x4")))
    return Scenario(
        "parallel-tools",
        (Say(calls=calls), Say("East and west are in.")),
        both(says("East and west are in."), gives_back({"toolu_east1": "east-2", "toolu_west1": "west-4"})),
    )


def thinking(shell: Shell, *checks: Check) -> Scenario:
    """Thinking before a call; the checks say what must have become of it."""
    return Scenario(
        "thinking",
        (
            Say("Let me look.", THOUGHT, (shell("toolu_tide1", printed("tide", "0x9")),)),
            Say("The tide is right."),
        ),
        both(says("The tide is right."), gives_back({"toolu_tide1": "tide-9"}), *checks),
    )


def refused_request(most_requests: int) -> Scenario:
    """A request that is refused: the agent shows the words, and does not ask for long."""
    refusal = Refuse(400, "invalid_request_error", REFUSAL)
    return Scenario("refused-request", (refusal,), refuses(REFUSAL, most_requests))


def refuses(words: str, most_requests: int) -> Check:
    """The agent ends in an error that has these words, after few requests."""

    def check(outcome: Outcome, _: Dialect) -> str | None:
        if words not in outcome.output:
            return f"{words!r} not in {outcome.output[-300:]!r}"
        if len(outcome.bodies) > most_requests:
            return f"{len(outcome.bodies)} requests reached the upstream, more than {most_requests}"
        return "exit status 0 in spite of the error" if outcome.exit_status == 0 else None

    return check
