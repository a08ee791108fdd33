"""A conversation that moves from one provider to another and back: each gets its own state, and nobody else's.

Every provider here is strict as the real ones are: it refuses what another one signed or sealed, and the words of the
router's envelopes. Whoever is asked again gets what it had sealed before, unchanged.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.catalogue import row
from ucr.config.model import Provider
from ucr.stress.upstream import Answer, SeenRequest

pytestmark = pytest.mark.usefixtures("both_lanes")

Json = dict[str, Any]
USAGE: Json = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
SCHEMA: Json = {"type": "object", "properties": {"x": {"type": "integer"}}}
QUESTION = "what is it?"


def state(name: str) -> str:
    """Return what a provider wants back, and nobody else may see."""
    return f"STATEof{name}"


def chat_reply(name: str, number: int, **thoughts: Any) -> Json:
    call = {
        "id": f"call_{name}_{number}",
        "type": "function",
        "function": {"name": "look", "arguments": '{"x":1}'},
    }
    message = {"role": "assistant", "content": "", **thoughts, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return {"id": "c", "object": "chat.completion", "model": name, "choices": [choice], "usage": USAGE}


def gemini_reply(number: int) -> Json:
    call = {"functionCall": {"name": "look", "args": {"x": 1}}, "thoughtSignature": state("gemini")}
    content = {"role": "model", "parts": [{"text": "I think.", "thought": True}, call]}
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
    return {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}


def responses_reply(number: int) -> Json:
    thought = {
        "type": "reasoning",
        "id": f"rs_{number}",
        "summary": [],
        "encrypted_content": state("responses"),
    }
    call = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_r_{number}", "name": "look"}
    call |= {"arguments": '{"x":1}', "status": "completed"}
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    reply = {"id": "resp_1", "object": "response", "model": "gpt-5.6", "status": "completed", "usage": usage}
    return {**reply, "output": [thought, call], "error": None, "incomplete_details": None}


def anthropic_reply(number: int) -> Json:
    thought = {"type": "thinking", "thinking": "I think.", "signature": state("anthropic")}
    call = {"type": "tool_use", "id": f"toolu_{number}", "name": "look", "input": {"x": 1}}
    reply = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
    usage = {"input_tokens": 11, "output_tokens": 7}
    return {
        **reply,
        "content": [thought, call],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": usage,
    }


REPLIES: dict[str, Callable[[int], Json]] = {
    "anthropic": anthropic_reply,
    "gemini": gemini_reply,
    "responses": responses_reply,
    "deepseek": lambda n: chat_reply("deepseek", n, reasoning_content=state("deepseek")),
    "openrouter": lambda n: chat_reply(
        "openrouter",
        n,
        reasoning="I think.",
        reasoning_details=[
            {"type": "reasoning.encrypted", "data": state("openrouter"), "id": "r1", "format": "x", "index": 0}
        ],
    ),
}
MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3-pro",
    "responses": "gpt-5.6",
    "deepseek": "deepseek-v4-pro",
    "openrouter": "openai/gpt-5",
}
PAIRS = [(first, second) for first in REPLIES for second in REPLIES if first != second]


def providers() -> list[Provider]:
    known = {"anthropic": "anthropic", "gemini": "google", "deepseek": "deepseek", "openrouter": "openrouter"}
    made = [
        provider(name, entry.dialect, quirks=entry.quirks)
        for name, id_ in known.items()
        if (entry := row(id_)) is not None
    ]
    return [*made, provider("responses", "openai-responses")]


def strict(name: str) -> Any:
    """Return a provider that refuses what is not its own."""
    count = 0

    async def handle(request: SeenRequest, answer: Answer) -> None:
        nonlocal count
        count += 1
        foreign = [other for other in REPLIES if other != name and state(other).encode() in request.body]
        if foreign or b"ucr1." in request.body or (name == "deepseek" and lacks_reasoning(request.body)):
            await answers.says(400, {"error": {"message": f"not mine: {foreign}"}})(request, answer)
        else:
            await answers.says(200, REPLIES[name](count))(request, answer)

    return handle


def lacks_reasoning(body: bytes) -> bool:
    """True for a turn of calls without the field that must be there, if only empty."""
    turns = [message for message in json.loads(body)["messages"] if message.get("tool_calls")]
    return any("reasoning_content" not in message for message in turns)


class Messages:
    """A client of the Messages API, which sends back all that it got."""

    path = "/v1/messages"

    def __init__(self) -> None:
        self.turns: list[Json] = [{"role": "user", "content": QUESTION}]

    def body(self, model: str) -> Json:
        tools = [{"name": "look", "input_schema": SCHEMA}]
        thinking = {"type": "enabled", "budget_tokens": 2000}
        return {
            "model": model,
            "max_tokens": 8000,
            "thinking": thinking,
            "tools": tools,
            "messages": self.turns,
        }

    def hear(self, reply: Json) -> None:
        calls = [block["id"] for block in reply["content"] if block["type"] == "tool_use"]
        assert calls
        results = [{"type": "tool_result", "tool_use_id": id_, "content": "seen"} for id_ in calls]
        self.turns += [{"role": "assistant", "content": reply["content"]}, {"role": "user", "content": results}]


class Responses:
    """A client of the Responses API without anything stored."""

    path = "/v1/responses"

    def __init__(self) -> None:
        self.items: list[Json] = [{"role": "user", "content": QUESTION}]

    def body(self, model: str) -> Json:
        tools = [{"type": "function", "name": "look", "parameters": SCHEMA, "strict": False}]
        wish = {"include": ["reasoning.encrypted_content"], "store": False, "reasoning": {"effort": "high"}}
        return {"model": model, "input": self.items, "tools": tools, **wish}

    def hear(self, reply: Json) -> None:
        calls = [item["call_id"] for item in reply["output"] if item["type"] == "function_call"]
        assert calls
        results = [{"type": "function_call_output", "call_id": id_, "output": "seen"} for id_ in calls]
        self.items += [*reply["output"], *results]


class Chat:
    """A client of chat completions, which sends back whole messages."""

    path = "/v1/chat/completions"

    def __init__(self) -> None:
        self.messages: list[Json] = [{"role": "user", "content": QUESTION}]

    def body(self, model: str) -> Json:
        tools = [{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}]
        return {"model": model, "messages": self.messages, "tools": tools, "reasoning_effort": "high"}

    def hear(self, reply: Json) -> None:
        message = reply["choices"][0]["message"]
        results = [
            {"role": "tool", "tool_call_id": call["id"], "content": "seen"} for call in message["tool_calls"]
        ]
        self.messages += [message, *results]


def sent(world: World, name: str, number: int) -> str:
    body = world.upstreams[name].requests[number].body
    return json.dumps(json.loads(body))


@pytest.mark.parametrize("make_client", [Messages, Responses, Chat])
@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_a_session_switches_providers_and_back(
    first: str, second: str, make_client: type[Messages | Responses | Chat], autojump_clock: object
) -> None:
    client = make_client()
    upstreams = {name: strict(name) for name in REPLIES}
    async with open_router(config_of(*providers()), **upstreams) as world:
        for name in (first, second, first, second):
            heard = await world.ask(client.path, client.body(f"{name}/{MODELS[name]}"))
            assert heard.status == 200, heard.body
            assert heard.headers["x-ucr-attempts"] == "1"
            client.hear(heard.json())
    for name in (first, second):
        assert state(name) not in sent(world, name, 0)
        assert state(name) in sent(world, name, 1), "it came back to whom it belongs"
