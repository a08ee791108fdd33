"""What the scripted upstream says, and what must then be seen, without I/O.

A scenario is a list of moves. The upstream plays move n in answer to a request whose conversation holds n
turns of tool results, so that a repeated request gets the same answer again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ucr.stress.failing.moves import SIGNATURE, BreakOff, Call, Dialect, Json, Move, Refuse, Say

MODEL = "scripted-1"
PROMPT = "Follow the plan and report."
NOTE = "The lighthouse keeper counts 17 ships."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of Claude Code left: its exit status, its output, and the bodies that the upstream saw."""

    exit_status: int
    output: str
    events: Sequence[Json]
    bodies: Sequence[Json]
    routed: bool

    @property
    def result(self) -> str:
        """The last word that Claude Code reported."""
        found = [event for event in self.events if event.get("type") == "result"]
        return str(found[-1].get("result", "")) if found else self.output


Check = Callable[[Outcome, Dialect], str | None]
"""Returns what is wrong, or None."""


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    moves: tuple[Move, ...]
    check: Check


def text_of(content: object) -> str:
    """Return all text of a message's content in either dialect, tool results included."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(text_of(part) for part in content)
    if isinstance(content, dict):
        return text_of(content.get("text", content.get("content")))
    return ""


def results_of(body: Json) -> dict[str, str]:
    """Return the results of tools in a request by the id of their call."""
    found: dict[str, str] = {}
    for message in body.get("messages", []):
        if message.get("role") == "tool":
            found[message["tool_call_id"]] = text_of(message["content"])
        for part in message["content"] if isinstance(message.get("content"), list) else []:
            if part.get("type") == "tool_result":
                found[part["tool_use_id"]] = text_of(part.get("content"))
    return found


def move_number(scenario: Scenario, body: Json) -> int:
    """Return how many of the scenario's moves a conversation has behind it."""
    done = results_of(body)
    for number, move in enumerate(scenario.moves):
        calls = move.calls if isinstance(move, Say) else ()
        if not calls or any(call.id not in done for call in calls):
            return number
    return len(scenario.moves) - 1


def is_side_request(body: Json) -> bool:
    """True for what Claude Code asks beside the conversation: titles, warm-ups, anything without tools."""
    return not body.get("tools")


def is_routed(outcome: Outcome) -> str | None:
    """Return what is wrong when a request through the router asks for another model than its route."""
    strangers = {body.get("model") for body in outcome.bodies} - {MODEL}
    return f"the upstream was asked for {strangers}" if outcome.routed and strangers else None


def says(*wanted: str) -> Check:
    def check(outcome: Outcome, _: Dialect) -> str | None:
        if outcome.exit_status != 0:
            return f"exit status {outcome.exit_status}: {outcome.result[:300]}"
        missing = [words for words in wanted if words not in outcome.result]
        return f"{missing} not in the answer {outcome.result!r}" if missing else None

    return check


def gives_back(expected: Mapping[str, str]) -> Check:
    """The upstream saw these results, by the ids of its own calls."""

    def check(outcome: Outcome, _: Dialect) -> str | None:
        seen = [results_of(body) for body in outcome.bodies]
        for call_id, words in expected.items():
            if not any(words in results.get(call_id, "") for results in seen):
                return (
                    f"no result with {words!r} came back for {call_id}: {seen[-1] if seen else 'nothing seen'}"
                )
        return None

    return check


def shows_thinking(words: str) -> Check:
    """Claude Code was given the thinking, and an Anthropic upstream got it back with its signature."""

    def check(outcome: Outcome, dialect: Dialect) -> str | None:
        if words not in json.dumps([event.get("message") for event in outcome.events]):
            return f"the thinking {words!r} did not reach Claude Code"
        echoed = json.dumps(outcome.bodies[-1]["messages"])
        if dialect == "anthropic" and SIGNATURE not in echoed:
            return "the thinking's signature did not come back unchanged"
        return "a signature reached the upstream" if dialect == "openai-chat" and "ucr1." in echoed else None

    return check


def fails_with(direct: tuple[str, ...], routed: tuple[str, ...], most_requests: int) -> Check:
    """Claude Code ends in an error that has these words, after few requests."""

    def check(outcome: Outcome, _: Dialect) -> str | None:
        missing = [words for words in (routed if outcome.routed else direct) if words not in outcome.output]
        if missing:
            return f"{missing} not in {outcome.result[:300]!r}"
        if len(outcome.bodies) > most_requests:
            return f"{len(outcome.bodies)} requests reached the upstream, more than {most_requests}"
        return "exit status 0 in spite of the error" if outcome.exit_status == 0 else None

    return check


def repeats_without_stream(outcome: Outcome, _: Dialect) -> str | None:
    if not any(not body.get("stream") for body in outcome.bodies):
        return "no request without a stream was seen"
    return None


def both(*checks: Check) -> Check:
    def check(outcome: Outcome, dialect: Dialect) -> str | None:
        return next((wrong for check in checks if (wrong := check(outcome, dialect)) is not None), None)

    return check


def bash(call_id: str, command: str) -> Call:
    return Call(call_id, "Bash", {"command": command, "description": "Print a word"})


SCENARIOS = (
    Scenario("plain", (Say("The harbour is calm today."),), says("The harbour is calm today.")),
    Scenario(
        "tool-loop",
        (
            Say("First the shell.", calls=(bash("toolu_shell1", "echo ucr-$((6*7))"),)),
            Say("Then the file.", calls=(Call("toolu_read1", "Read", {"file_path": "{folder}/note.txt"}),)),
            Say("Both tools answered."),
        ),
        both(says("Both tools answered."), gives_back({"toolu_shell1": "ucr-42", "toolu_read1": NOTE})),
    ),
    Scenario(
        "parallel-tools",
        (
            Say(calls=(bash("toolu_east1", "echo east-$((1+1))"), bash("toolu_west1", "echo west-$((2+2))"))),
            Say("East and west are in."),
        ),
        both(says("East and west are in."), gives_back({"toolu_east1": "east-2", "toolu_west1": "west-4"})),
    ),
    Scenario(
        "thinking",
        (
            Say("Let me look.", "Tides come before ships.", (bash("toolu_tide1", "echo tide-$((3*3))"),)),
            Say("The tide is right.", "Nine is enough."),
        ),
        both(
            says("The tide is right."),
            gives_back({"toolu_tide1": "tide-9"}),
            shows_thinking("Tides come before ships."),
        ),
    ),
    Scenario(
        "refused-request",
        (Refuse(400, "invalid_request_error", "The chart of the harbour is upside down."),),
        fails_with(
            ("The chart of the harbour is upside down.",),
            ("The chart of the harbour is upside down.",),
            most_requests=8,
        ),
    ),
    Scenario(
        "broken-stream",
        (BreakOff("The wind is", Say("The wind has turned.")),),
        both(says("The wind has turned."), repeats_without_stream),
    ),
    Scenario(
        "refused-key",
        (Refuse(403, "permission_error", "This key opens no door."),),
        fails_with(("403",), ("403", "upstream"), most_requests=2),
    ),
)
"""A key that was refused rests for a minute: its scenario is the last one."""
