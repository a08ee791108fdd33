"""What the scripted upstream says to gemini-cli, and what must then be seen, without I/O."""

import json

from agent_scenarios import parallel_tools, plain, refused_request, thinking, tool_loop
from claude_code_scenarios import Outcome

from ucr.stress.failing.moves import SIGNATURE, Call, Dialect


def shell(id_: str, command: str) -> Call:
    return Call(id_, "run_shell_command", {"command": command})


def returns_thinking(outcome: Outcome, dialect: Dialect) -> str | None:
    """An Anthropic upstream got its thinking back with the signature, which gemini-cli carried in a call."""
    echoed = json.dumps(outcome.bodies[-1]["messages"])
    if dialect == "anthropic" and SIGNATURE not in echoed:
        return "the thinking's signature did not come back unchanged"
    return "an envelope reached the upstream" if "ucr1." in echoed else None


SCENARIOS = (
    plain(),
    tool_loop(shell, Call("toolu_read1", "read_file", {"file_path": "{folder}/note.txt"})),
    parallel_tools(shell),
    thinking(shell, returns_thinking),
    refused_request(most_requests=2),
)
