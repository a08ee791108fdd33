"""What the scripted upstream says to opencode, and what must then be seen, without I/O."""

from agent_scenarios import parallel_tools, plain, refused_request, thinking, tool_loop

from ucr.stress.failing.moves import Call

PACKAGES = {
    "tool-loop-chat": "@ai-sdk/openai-compatible",
    "tool-loop-responses": "@ai-sdk/openai",
}
"""The scenarios in which opencode speaks another dialect than Anthropic's, and the SDK with which it does."""

READ = Call("toolu_read1", "read", {"filePath": "{folder}/note.txt"})


def shell(id_: str, command: str) -> Call:
    return Call(id_, "bash", {"command": command, "description": "Print a word"})


SCENARIOS = (
    plain(),
    tool_loop(shell, READ),
    *(tool_loop(shell, READ, name) for name in PACKAGES),
    parallel_tools(shell),
    thinking(shell),
    refused_request(most_requests=2),
)
