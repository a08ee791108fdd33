"""What the dashboard is looked at with: two providers that work, one that does not, and clients that ask them."""

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

ADMIN_KEY = "the-admin-key-of-the-check"
MARKUP = "<img src=x onerror=\"document.title='planted'\"><b>bold</b>"
"""What a client may put into a name, and a provider into an error."""

CONFIGURATION = """\
[server]
workers = 2

[admin]
key = "{key}"

[models]
fast = "openai/gpt-5-mini"

[[providers]]
id = "anthropic"
dialect = "anthropic"
base_url = "{url}/good"
api_key = "scripted-key"
default_model = "claude-sonnet-4-5"
models = ["claude-sonnet-4-5", "claude-haiku-4-5"]
max_requests = 40

[[providers]]
id = "openai"
dialect = "openai-chat"
base_url = "{url}/chat/v1"
api_keys = ["scripted-key", "another-key"]
default_model = "gpt-5"
models = ["gpt-5", "gpt-5-mini"]

[[providers]]
id = "groq"
dialect = "openai-chat"
base_url = "{url}/broken/v1"
api_key = "scripted-key"
default_model = "llama-3.3-70b"
models = ["llama-3.3-70b"]

[[providers]]
id = "mistral"
dialect = "openai-chat"
base_url = "{url}/chat/v1"
api_key = "scripted-key"
default_model = "mistral-large"
enabled = false

[[prices]]
model = "claude-haiku*"
input = 1.0
output = 5.0

[[prices]]
provider = "anthropic"
input = 3.0
output = 15.0

[[prices]]
input = 1.25
output = 10.0

[router]
default = "anthropic"
background = "anthropic/claude-haiku-4-5"
fallbacks = ["openai"]
"""

ASKED: Mapping[str, int] = MappingProxyType(
    {"claude-sonnet-4-5": 8, "claude-haiku-4-5": 4, "gpt-5": 3, "fast": 3, "claude-opus-4-1": 1}
)
"""What is asked for, and how often."""
WORDS = ("A router ", "keeps many ", "conversations ", "apart and ", "forgets none.")


class _Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.startswith("/broken"):
            return self._send(500, {"error": {"type": "server_error", "message": f"no model {MARKUP}"}})
        time.sleep(random.lognormvariate(-2.2, 0.5))
        counted = random.randint(200, 3000), random.randint(20, 400)
        if self.path.endswith("/count_tokens"):
            return self._send(200, {"input_tokens": 100})
        if not body.get("stream"):
            said = _message if self.path.startswith("/good") else _completion
            return self._send(200, said(body["model"], *counted))
        return self._stream(body["model"], *counted)

    def _send(self, status: int, answer: Any) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, model: str, read: int, written: int) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        events = (
            _events(model, read, written) if self.path.startswith("/good") else _chunks(model, read, written)
        )
        for event in events:
            self.wfile.write(event)
            time.sleep(random.uniform(0.005, 0.03))

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        pass


def _message(model: str, read: int, written: int) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": "".join(WORDS)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": read, "output_tokens": written},
    }


def _completion(model: str, read: int, written: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(WORDS)}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


def _events(model: str, read: int, written: int) -> Iterator[bytes]:
    usage = {"input_tokens": read, "output_tokens": 1}
    begun = {**_message(model, read, 1), "content": [], "stop_reason": None, "usage": usage}
    block: dict[str, Any] = {"index": 0}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", **block, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", **block, "delta": {"type": "text_delta", "text": word}}
            for word in WORDS
        ),
        {"type": "content_block_stop", **block},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": written},
        },
        {"type": "message_stop"},
    ]
    for event in events:
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _chunks(model: str, read: int, written: int) -> Iterator[bytes]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    for word in WORDS:
        choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
        yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n".encode()
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    yield f"data: {json.dumps({**head, 'choices': [end]})}\n\n".encode()
    usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    yield f"data: {json.dumps({**head, 'choices': [], 'usage': usage})}\n\n".encode()
    yield b"data: [DONE]\n\n"


@contextmanager
def providers() -> Iterator[str]:
    """Serve the providers as long as the block; give the URL below which all of them are."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def traffic(url: str, clients: int = 3, pause_s: float = 0.4) -> Iterator[None]:
    """Ask the router as long as the block."""
    ended = threading.Event()
    threads = [threading.Thread(target=_talk, args=(url, ended, pause_s, seed)) for seed in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _talk(url: str, ended: threading.Event, pause_s: float, seed: int) -> None:
    dice = random.Random(seed)
    names, weights = list(ASKED), list(ASKED.values())
    while not ended.wait(dice.expovariate(1 / pause_s)):
        (model,) = dice.choices(names, weights)
        ask(url, model, stream=dice.random() < 0.6, words=f"question {dice.randrange(25)}")


def ask(url: str, model: str, *, stream: bool, words: str) -> None:
    """Ask once; what comes of it is the router's business."""
    body = {
        "model": model,
        "max_tokens": 500,
        "stream": stream,
        "temperature": 0,
        "messages": [{"role": "user", "content": words}],
    }
    request = urllib.request.Request(
        f"{url}/v1/messages", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        pass
