"""Providers that want their own state back, and refuse another's; clients that bring everything back, or forget it."""

import json
from collections.abc import Callable
from typing import Any

from tests.world import answers
from tests.world.bedrock import CLAUDE
from tests.world.router import provider
from ucr.catalogue import row
from ucr.config.model import Provider
from ucr.stress.upstream import Answer, SeenRequest

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


def bedrock_reply(number: int) -> Json:
    signed = {"text": "I think.", "signature": state("bedrock")}
    call = {"toolUseId": f"tooluse_{number}", "name": "look", "input": {"x": 1}}
    content = [{"reasoningContent": {"reasoningText": signed}}, {"toolUse": call}]
    usage = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
    message = {"role": "assistant", "content": content}
    return {"output": {"message": message}, "stopReason": "tool_use", "usage": usage}


REPLIES: dict[str, Callable[[int], Json]] = {
    "anthropic": anthropic_reply,
    "bedrock": bedrock_reply,
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
    "bedrock": CLAUDE,
    "gemini": "gemini-3-pro",
    "responses": "gpt-5.6",
    "deepseek": "deepseek-v4-pro",
    "openrouter": "openai/gpt-5",
}
CLAUDES = {"anthropic", "bedrock"}
"""Both are Claude: each takes what the other one has signed, and a session that moves between them keeps it."""
PAIRS = [
    (first, second) for first in REPLIES for second in REPLIES if first != second and {first, second} != CLAUDES
]


def providers() -> list[Provider]:
    known = {
        "anthropic": "anthropic",
        "bedrock": "bedrock",
        "gemini": "google",
        "deepseek": "deepseek",
        "openrouter": "openrouter",
    }
    made = [
        provider(name, entry.dialect, quirks=entry.quirks)
        for name, id_ in known.items()
        if (entry := row(id_)) is not None
    ]
    return [*made, provider("responses", "openai-responses")]


def strict(name: str, *, forgives: bool = True) -> Any:
    """Return a provider that refuses what is not its own; one that does not forgive wants its own, too, for each call."""
    count = 0

    async def handle(request: SeenRequest, answer: Answer) -> None:
        nonlocal count
        count += 1
        own = CLAUDES if name in CLAUDES else {name}
        foreign = [other for other in REPLIES if other not in own and state(other).encode() in request.body]
        if foreign or b"ucr1." in request.body or (name == "deepseek" and lacks_reasoning(request.body)):
            await answers.says(400, {"error": {"message": f"not mine: {foreign}"}})(request, answer)
        elif not forgives and request.body.count(state(name).encode()) < count - 1:
            await answers.says(400, {"error": {"message": "what I said before must be passed back"}})(
                request, answer
            )
        elif is_stream(request):
            await answers.streams(streamed(name, REPLIES[name](count)))(request, answer)
        else:
            await answers.says(200, REPLIES[name](count))(request, answer)

    return handle


def is_stream(request: SeenRequest) -> bool:
    """True for a request of a stream, which Gemini is asked for in the path."""
    return "streamGenerateContent" in request.path or json.loads(request.body).get("stream") is True


def streamed(name: str, reply: Json) -> list[bytes]:
    """Return a whole answer of Gemini's, or of chat completions, as the fewest events of a stream."""
    if name == "gemini":
        return [event(reply)]
    message = reply["choices"][0]["message"]
    calls = [{"index": index, **call} for index, call in enumerate(message.pop("tool_calls"))]
    deltas = [message, {"tool_calls": calls}]
    chunks = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
    ended = [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]
    named = {"id": "c", "object": "chat.completion.chunk", "model": name}
    usage = {**named, "choices": [], "usage": USAGE}
    return [*(event({**named, "choices": one}) for one in (*chunks, ended)), event(usage), b"data: [DONE]\n\n"]


def event(data: Json) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


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


class ForgetfulMessages(Messages):
    """A client of the Messages API that drops all thinking."""

    def hear(self, reply: Json) -> None:
        kept = [block for block in reply["content"] if "thinking" not in block["type"]]
        super().hear({**reply, "content": kept})


class ForgetfulResponses(Responses):
    """A client of the Responses API that drops all reasoning."""

    def hear(self, reply: Json) -> None:
        super().hear({**reply, "output": [item for item in reply["output"] if item["type"] != "reasoning"]})


class ForgetfulChat(Chat):
    """A client of chat completions that knows no fields but those of OpenAI's own API."""

    def hear(self, reply: Json) -> None:
        message = reply["choices"][0]["message"]
        calls = [{key: call[key] for key in ("id", "type", "function")} for call in message["tool_calls"]]
        known = {"role": "assistant", "content": message.get("content"), "tool_calls": calls}
        super().hear({**reply, "choices": [{"message": known}]})

    def hear_stream(self, events: list[Json]) -> None:
        """Take the calls from a stream of chunks."""
        calls: list[Json] = []
        for delta in [choice["delta"] for chunk in events for choice in chunk["choices"]]:
            for piece in delta.get("tool_calls") or ():
                if piece["index"] == len(calls):
                    calls.append(
                        {"id": piece["id"], "type": "function", "function": {"name": "", "arguments": ""}}
                    )
                for key, value in piece["function"].items():
                    calls[piece["index"]]["function"][key] += value
        self.hear({"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": calls}}]})


class ForgetfulOllama:
    """A client of Ollama's API that keeps the ids of calls and drops all thinking."""

    path = "/api/chat"

    def __init__(self) -> None:
        self.messages: list[Json] = [{"role": "user", "content": QUESTION}]

    def body(self, model: str) -> Json:
        tools = [{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}]
        return {"model": model, "messages": self.messages, "tools": tools, "stream": False, "think": True}

    def hear(self, reply: Json) -> None:
        calls = reply["message"]["tool_calls"]
        results = [{"role": "tool", "tool_name": call["function"]["name"], "content": "seen"} for call in calls]
        self.messages += [{"role": "assistant", "content": "", "tool_calls": calls}, *results]
