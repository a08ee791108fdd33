"""`logs`, `explain --id` and `replay`, as they are called."""

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.ucr.journal.test_showing import ACCOUNT
from ucr.commands import main
from ucr.journal.entry import Entry
from ucr.journal.file import NAME, JournalFile
from ucr.kept_file import Bounds

REQUEST = {"model": "claude-x", "max_tokens": 5}
ANSWER = {"id": "msg_1", "type": "message", "content": [{"type": "text", "text": "Yes"}]}


def entry(number: int, provider: str, status: int = 200, *, bodies: bool = False) -> Entry:
    kept = {"path": "/v1/messages", "query": "", "headers": {}, "cut": []}
    account = json.dumps({**ACCOUNT, **kept, "provider": provider, "status": status})
    texts = (json.dumps(REQUEST), json.dumps(ANSWER)) if bodies else (None, None)
    return Entry(1_764_000_000.0 + number, f"req_{number}", provider, status, status >= 400, account, *texts)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    file = JournalFile(tmp_path / NAME, Bounds(math.inf, 2**30))
    file.write([entry(1, "a"), entry(2, "b", 529), entry(3, "a", bodies=True)], 0.0)
    file.close()
    return tmp_path


def run(state: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments], env={"UCR_STATE_DIR": str(state)})


def test_the_last_requests_are_printed_a_line_each(state: Path) -> None:
    result = run(state, "logs", "-n", "2")
    assert result.exit_code == 0
    assert [line.split("  ")[1] for line in result.output.splitlines()] == ["req_2", "req_3"]


def test_filters_hold_together_and_json_is_an_object_a_line(state: Path) -> None:
    result = run(state, "logs", "--provider", "b", "--errors", "--json")
    (told,) = map(json.loads, result.output.splitlines())
    assert (told["provider"], told["status"]) == ("b", 529)
    assert run(state, "logs", "--provider", "a", "--errors").output == ""
    assert run(state, "logs", "--since", "1h").output == ""


@pytest.mark.parametrize(
    "command", [["logs"], ["explain", "--id", "req_1"], ["replay", "req_1", "--to", "b/m"]]
)
def test_without_a_journal_it_is_said_what_makes_one(tmp_path: Path, command: list[str]) -> None:
    result = run(tmp_path, *command)
    assert result.exit_code == 1
    assert "journal.enabled" in result.output


def test_a_request_that_was_made_is_explained(state: Path) -> None:
    result = run(state, "explain", "--id", "req_1")
    assert result.exit_code == 0
    assert result.output.startswith("req_1  ")
    assert "  candidates, in this order:" in result.output
    assert (
        json.loads(run(state, "explain", "--id", "req_1", "--json").output)["considered"]
        == ACCOUNT["considered"]
    )


def test_a_request_that_is_not_there_fails(state: Path) -> None:
    result = run(state, "explain", "--id", "req_9")
    assert (result.exit_code, "no request req_9" in result.output) == (1, True)


@pytest.mark.parametrize("arguments", [[], ["--id", "req_1", "--file", "-"]])
def test_explain_wants_one_of_two(state: Path, arguments: list[str]) -> None:
    assert run(state, "explain", *arguments).exit_code == 2


def test_a_request_without_its_body_cannot_be_sent_again(state: Path) -> None:
    result = run(state, "replay", "req_1", "--to", "b/m")
    assert (result.exit_code, "journal.bodies" in result.output) == (1, True)


class Router(HTTPServer):
    """Answers every request with `said`."""

    def __init__(self, status: int, said: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.status = status
        self.said = said
        self.heard: list[tuple[str, str, bytes]] = []


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        router = self.server
        assert isinstance(router, Router)
        body = self.rfile.read(int(self.headers["content-length"]))
        router.heard.append((self.path, self.headers["x-api-key"], body))
        self.send_response(router.status)
        self.send_header("content-length", str(len(router.said)))
        self.send_header("request-id", "req_new")
        self.end_headers()
        self.wfile.write(router.said)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def replayed(state: Path, status: int, said: bytes, *more: str) -> tuple[Result, Router]:
    router = Router(status, said)
    serving = threading.Thread(target=router.handle_request)
    serving.start()
    try:
        url = f"http://127.0.0.1:{router.server_port}"
        arguments = ["replay", "req_3", "--to", "b/m", "--url", url, "--key", "k", *more]
        return run(state, *arguments), router
    finally:
        serving.join()
        router.server_close()


def test_a_request_is_sent_again_and_what_differs_is_printed(state: Path) -> None:
    said = json.dumps({**ANSWER, "id": "msg_2", "content": [{"type": "text", "text": "No"}]}).encode()
    result, router = replayed(state, 200, said)
    assert result.exit_code == 0
    ((path, key, body),) = router.heard
    assert (path, key, json.loads(body)) == ("/v1/messages", "k", {**REQUEST, "model": "b/m"})
    lines = result.output.splitlines()
    assert lines[0] == "req_3 was 200; req_new at b/m is 200"
    assert any(line.startswith("-") and "Yes" in line for line in lines)
    assert any(line.startswith("+") and "No" in line for line in lines)


def test_answers_that_are_alike_are_said_to_be(state: Path) -> None:
    result, _ = replayed(state, 200, json.dumps({**ANSWER, "id": "msg_2"}).encode())
    assert result.output.splitlines()[1:] == ["the answers are alike, event for event"]


def test_a_refusal_fails(state: Path) -> None:
    result, _ = replayed(state, 400, b'{"type": "error", "error": {}}', "--json")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert (told["status"], told["was"], told["request_id"]) == (400, 200, "req_new")
