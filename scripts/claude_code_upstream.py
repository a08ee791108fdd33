"""The scripted upstream on a loopback port, in the Anthropic or the OpenAI chat-completions dialect."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from claude_code_scenarios import Scenario, is_side_request, move_number

from ucr.stress.failing.moves import (
    ERROR,
    BreakOff,
    Dialect,
    Json,
    Refuse,
    Say,
    anthropic_events,
    anthropic_message,
    chat_chunks,
    chat_completion,
    error_body,
)

SIDE_ANSWER = Say('{"title": "A scripted talk"}')


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
