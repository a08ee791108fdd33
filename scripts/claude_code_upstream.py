"""The scripted upstream on a loopback port, in the Anthropic or the OpenAI chat-completions dialect."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from claude_code_scenarios import (
    SIGNATURE,
    BreakOff,
    Dialect,
    Json,
    Refuse,
    Say,
    Scenario,
    is_side_request,
    move_number,
)

SIDE_ANSWER = Say('{"title": "A scripted talk"}')
ERROR = "The line to the lighthouse broke."


class Upstream:
    """Plays one scenario at a time and keeps the bodies of the conversation's own requests."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.folder = ""
        self.bodies: list[Json] = []
        self._scenario: Scenario | None = None

    def play(self, scenario: Scenario, folder: str) -> None:
        """Start a scenario: forget what was seen; `folder` is where Claude Code will work."""
        self._scenario, self.folder, self.bodies = scenario, folder, []

    def answer(self, path: str, body: Json) -> tuple[int, str, bytes]:
        """Return status, content type and body for one POST."""
        if path.endswith("/count_tokens"):
            return 200, "application/json", b'{"input_tokens": 100}'
        if not path.endswith(("/v1/messages", "/chat/completions")):
            return 404, "application/json", self._error(Refuse(404, "not_found_error", f"no {path} here"))
        move: Say | Refuse | BreakOff = SIDE_ANSWER
        if not is_side_request(body):
            assert self._scenario is not None
            self.bodies.append(body)
            move = self._scenario.moves[move_number(self._scenario, body)]
        if isinstance(move, Refuse):
            return move.status, "application/json", self._error(move)
        if not body.get("stream"):
            whole = move.then if isinstance(move, BreakOff) else move
            return 200, "application/json", json.dumps(self._whole(whole, body["model"])).encode()
        return 200, "text/event-stream", b"".join(self._stream(move, body["model"]))

    def _error(self, refusal: Refuse) -> bytes:
        return json.dumps(error_body(self.dialect, refusal.type, refusal.message)).encode()

    def _whole(self, say: Say, model: str) -> Json:
        said = anthropic_message if self.dialect == "anthropic" else chat_completion
        return said(say, self.folder, model)

    def _stream(self, move: Say | BreakOff, model: str) -> Iterator[bytes]:
        is_broken = isinstance(move, BreakOff)
        say = Say(move.text) if isinstance(move, BreakOff) else move
        said = anthropic_events if self.dialect == "anthropic" else chat_chunks
        events = said(say, self.folder, model)
        if is_broken:
            events = [*events[:3], error_body(self.dialect, "api_error", ERROR)]
        for event in events:
            name = f"event: {event['type']}\n" if self.dialect == "anthropic" else ""
            yield f"{name}data: {json.dumps(event)}\n\n".encode()
        if self.dialect == "openai-chat" and not is_broken:
            yield b"data: [DONE]\n\n"


def error_body(dialect: Dialect, type_: str, message: str) -> Json:
    error: Json = {"type": type_, "message": message}
    return {"type": "error", "error": error} if dialect == "anthropic" else {"error": error}


def anthropic_blocks(say: Say, folder: str) -> list[Json]:
    blocks: list[Json] = []
    if say.thinking:
        blocks.append({"type": "thinking", "thinking": say.thinking, "signature": SIGNATURE})
    if say.text:
        blocks.append({"type": "text", "text": say.text})
    for call in say.calls:
        inputs = {name: value.format(folder=folder) for name, value in call.arguments.items()}
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": inputs})
    return blocks


def anthropic_message(say: Say, folder: str, model: str) -> Json:
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": anthropic_blocks(say, folder),
        "stop_reason": "tool_use" if say.calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20},
    }


def anthropic_events(say: Say, folder: str, model: str) -> list[Json]:
    message = anthropic_message(say, folder, model)
    events: list[Json] = [{"type": "message_start", "message": message | {"content": [], "stop_reason": None}}]
    for index, block in enumerate(message["content"]):
        empty, deltas = anthropic_deltas(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ending, "usage": {"output_tokens": 20}})
    return [*events, {"type": "message_stop"}]


def anthropic_deltas(block: Json) -> tuple[Json, list[Json]]:
    match block["type"]:
        case "thinking":
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return block | {"thinking": "", "signature": ""}, [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                signed,
            ]
        case "text":
            return block | {"text": ""}, [{"type": "text_delta", "text": block["text"]}]
        case _:
            pieces = halves(json.dumps(block["input"]))
            return block | {"input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in pieces
            ]


def chat_calls(say: Say, folder: str) -> list[Json]:
    calls = []
    for call in say.calls:
        arguments = {name: value.format(folder=folder) for name, value in call.arguments.items()}
        function = {"name": call.name, "arguments": json.dumps(arguments)}
        calls.append({"id": call.id, "type": "function", "function": function})
    return calls


def chat_head(kind: str, model: str) -> Json:
    return {"id": "chatcmpl-scripted", "object": kind, "created": 1, "model": model}


def chat_usage() -> Json:
    return {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def chat_completion(say: Say, folder: str, model: str) -> Json:
    message: Json = {"role": "assistant", "content": say.text or None}
    if say.thinking:
        message["reasoning_content"] = say.thinking
    if say.calls:
        message["tool_calls"] = chat_calls(say, folder)
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if say.calls else "stop"}
    return chat_head("chat.completion", model) | {"choices": [choice], "usage": chat_usage()}


def chat_chunks(say: Say, folder: str, model: str) -> list[Json]:
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece} for piece in halves(say.thinking)]
    deltas += [{"content": piece} for piece in halves(say.text)]
    for index, call in enumerate(chat_calls(say, folder)):
        first, second = halves(call["function"]["arguments"])
        opening = call | {"index": index, "function": call["function"] | {"arguments": first}}
        deltas.append({"tool_calls": [opening]})
        deltas.append({"tool_calls": [{"index": index, "function": {"arguments": second}}]})
    head = chat_head("chat.completion.chunk", model)
    chunks = [head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    reason = "tool_calls" if say.calls else "stop"
    chunks.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    return [*chunks, head | {"choices": [], "usage": chat_usage()}]


def halves(text: str) -> tuple[str, ...]:
    middle = len(text) // 2
    return (text[:middle], text[middle:]) if text else ()


@contextmanager
def serving(upstream: Upstream) -> Iterator[int]:
    """Serve an upstream on a free port of the loopback interface; give the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", "0")))
            status, content_type, said = upstream.answer(self.path.partition("?")[0], json.loads(raw))
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the check prints its own lines."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
