"""What the demo provider says: OpenAI chat-completions requests in, scripted answers out, without I/O.

It is no model. It answers every question with how to add a real provider, every request for JSON of a schema
with the smallest value that fits, and the demo's own question with one tool call and then a last word.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ucr import jsontext, sse
from ucr.jsontext import JsonError, JsonObject

DEMO_MODEL = "ucr-demo"
DEMO_TOOL = "get_weather"
DEMO_QUESTION = "What is the weather like in Lisbon right now?"
DEMO_TOOLS = (
    MappingProxyType(
        {
            "name": DEMO_TOOL,
            "description": "Tell the present weather of a city.",
            "input_schema": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        }
    ),
)
"""In the Anthropic shape: a client of the router offers them."""

WELCOME = """\
UCR is running. This answer comes from its built-in demo provider: no model was asked, because no provider is \
configured yet.

To talk to a real model, stop UCR, do one of these, and start it again:

1. Set a key in the environment: `export ANTHROPIC_API_KEY=...` (or `OPENAI_API_KEY`, `GEMINI_API_KEY`, \
`OPENROUTER_API_KEY`, `DEEPSEEK_API_KEY`, `GROQ_API_KEY`, `MISTRAL_API_KEY`, `TOGETHER_API_KEY`, `XAI_API_KEY`).
2. Start Ollama or LM Studio: UCR finds them on their usual ports.
3. Write a `ucr.toml`:

```toml
[[providers]]
id = "openai"
api_key = "${OPENAI_API_KEY}"

[router]
default = "openai"
```

To point Claude Code at UCR (with UCR's own address, when you changed it):

```sh
export ANTHROPIC_BASE_URL=http://127.0.0.1:3000
export ANTHROPIC_AUTH_TOKEN=ucr
```
"""

_DEPTH_LIMIT = 8
_PIECE = 24


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What the demo provider says once: text, and perhaps a call of a tool after it."""

    text: str
    call: Call | None = None

    @property
    def finish_reason(self) -> str:
        return "stop" if self.call is None else "tool_calls"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer whose body comes in `parts`; those of a stream are one event each."""

    status: int
    content_type: str
    parts: tuple[bytes, ...]


def answer(method: str, target: str, body: bytes, now: int) -> Answer:
    """Answer one HTTP request; `now` is in Unix seconds. Nothing that a client sends raises."""
    path = target.partition("?")[0].rstrip("/")
    match method, path:
        case "GET", "/v1/models":
            entry = {"id": DEMO_MODEL, "object": "model", "created": now, "owned_by": "ucr"}
            return _json(200, {"object": "list", "data": [entry]})
        case "POST", "/v1/chat/completions":
            return _complete(body, now)
        case _:
            return _refuse(404, f"The demo provider does not serve {method} {path or '/'}.")


def _complete(body: bytes, now: int) -> Answer:
    try:
        request = jsontext.loads(body)
    except JsonError as error:
        return _refuse(400, f"The body is not JSON: {error}.")
    if not isinstance(request, dict) or not isinstance(request.get("messages"), list):
        return _refuse(400, "messages: expected an array.")
    turn = reply_to(request)
    usage = _usage(len(body), turn)
    if not request.get("stream"):
        return _json(200, _completion(turn, usage, now))
    options = request.get("stream_options")
    wants_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    return Answer(200, "text/event-stream", tuple(_events(turn, usage if wants_usage else None, now)))


def reply_to(request: JsonObject) -> Turn:
    """Choose what is said to a request whose `messages` are a list."""
    schema = _wanted_schema(request.get("response_format"))
    if schema is not None:
        return Turn(jsontext.dumps(smallest(schema)).decode())
    messages = [message for message in request["messages"] if isinstance(message, dict)]
    if messages and messages[-1].get("role") == "tool":
        return Turn(f"The tool says: {_text(messages[-1])} That was one real tool call through the router.")
    if _offers_demo_tool(request.get("tools")) and DEMO_QUESTION in _last_question(messages):
        return Turn("Let me look that up.", Call("call_demo_1", DEMO_TOOL, '{"city": "Lisbon"}'))
    return Turn(WELCOME)


def _wanted_schema(response_format: object) -> object | None:
    if not isinstance(response_format, dict):
        return None
    match response_format.get("type"):
        case "json_object":
            return {"type": "object"}
        case "json_schema":
            wanted = response_format.get("json_schema")
            return wanted.get("schema", {}) if isinstance(wanted, dict) else {}
        case _:
            return None


def smallest(schema: object, depth: int = 0) -> Any:
    """Return a small value for the common part of JSON Schema; strings say where they come from."""
    if not isinstance(schema, dict) or depth > _DEPTH_LIMIT:
        return {}
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    kinds = schema.get("type")
    match kinds[0] if isinstance(kinds, list) and kinds else kinds:
        case "string":
            return "UCR demo"
        case "integer" | "number":
            return 0
        case "boolean":
            return False
        case "null":
            return None
        case "array":
            return []
    fields = schema.get("properties")
    if not isinstance(fields, dict):
        return {}
    return {name: smallest(field, depth + 1) for name, field in fields.items()}


def _offers_demo_tool(tools: object) -> bool:
    if not isinstance(tools, list):
        return False
    functions = [tool.get("function") for tool in tools if isinstance(tool, dict)]
    return any(isinstance(function, dict) and function.get("name") == DEMO_TOOL for function in functions)


def _last_question(messages: list[JsonObject]) -> str:
    return next((_text(message) for message in reversed(messages) if message.get("role") == "user"), "")


def _text(message: JsonObject) -> str:
    content = message.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _usage(prompt_bytes: int, turn: Turn) -> JsonObject:
    said = len(turn.text) + (len(turn.call.arguments) if turn.call else 0)
    prompt, completion = prompt_bytes // 4 + 1, said // 4 + 1
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _call(call: Call) -> JsonObject:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _completion(turn: Turn, usage: JsonObject, now: int) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": turn.text}
    if turn.call is not None:
        message["tool_calls"] = [_call(turn.call)]
    choice = {"index": 0, "message": message, "finish_reason": turn.finish_reason}
    return _head("chat.completion", now) | {"choices": [choice], "usage": usage}


def _events(turn: Turn, usage: JsonObject | None, now: int) -> Iterator[bytes]:
    head = _head("chat.completion.chunk", now)
    for delta in _deltas(turn):
        yield _event(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": turn.finish_reason}]})
    if usage is not None:
        yield _event(head | {"choices": [], "usage": usage})
    yield sse.encode(b"[DONE]")


def _deltas(turn: Turn) -> Iterator[JsonObject]:
    yield {"role": "assistant", "content": ""}
    for start in range(0, len(turn.text), _PIECE):
        yield {"content": turn.text[start : start + _PIECE]}
    if turn.call is None:
        return
    opening = Call(turn.call.id, turn.call.name, "")
    yield {"tool_calls": [{"index": 0} | _call(opening)]}
    for start in range(0, len(turn.call.arguments), _PIECE // 2):
        piece = turn.call.arguments[start : start + _PIECE // 2]
        yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _head(kind: str, now: int) -> JsonObject:
    return {"id": "chatcmpl-demo", "object": kind, "created": now, "model": DEMO_MODEL}


def _event(data: JsonObject) -> bytes:
    return sse.encode(jsontext.dumps(data))


def _json(status: int, data: JsonObject) -> Answer:
    return Answer(status, "application/json", (jsontext.dumps(data),))


def _refuse(status: int, message: str) -> Answer:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return _json(status, {"error": error})
