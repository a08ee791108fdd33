"""What the process of a custom router does, done here. The process itself is tested in `test_custom_process`."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ucr.custom_child import (
    REPLY_LIMIT_BYTES,
    WORDS_CHARS,
    answer_of,
    loaded,
    receive,
    send,
    words_of,
)


@pytest.fixture(autouse=True)
def _own_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a user's file changes what this process finds and keeps; afterwards it is as before."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def written(folder: Path, text: str, name: str = "router.py") -> Path:
    place = folder / name
    place.write_text(text)
    return place


def test_the_function_of_a_file_is_found_beside_its_other_modules(tmp_path: Path) -> None:
    written(tmp_path, "WORD = 'a'", "words_of_router.py")
    place = written(tmp_path, "from words_of_router import WORD\ndef route(request):\n    return WORD\n")
    assert loaded(place)({}) == "a"
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("text", "name", "error"),
    [
        ("x = 1", "router.py", "has no function route"),
        ("route = 7", "router.py", "has no function route"),
        ("def route(r): ...", "router.txt", "must end with .py"),
    ],
)
def test_a_file_without_the_function_says_what_to_write(
    tmp_path: Path, text: str, name: str, error: str
) -> None:
    with pytest.raises(TypeError, match=error):
        loaded(written(tmp_path, text, name))


@pytest.mark.parametrize(
    ("text", "error"),
    [("def route(:", SyntaxError), ("1/0", ZeroDivisionError), ("import nowhere_x", ImportError)],
)
def test_what_a_file_raises_comes_out(tmp_path: Path, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        loaded(written(tmp_path, text))


def test_answers_carry_the_number_of_their_question() -> None:
    assert answer_of(lambda request: request["a"], {"id": 7, "request": {"a": "x"}}) == {"id": 7, "result": "x"}


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({1, 2}, "TypeError: Object of type set is not JSON serializable"),
        ("x" * REPLY_LIMIT_BYTES, "ValueError: what route returned is longer"),
        ([float("nan")], "ValueError: Out of range float values"),
    ],
)
def test_what_cannot_be_said_is_an_error(result: Any, words: str) -> None:
    answer = answer_of(lambda request: result, {"id": 1, "request": {}})
    assert answer["id"] == 1
    assert answer["error"].startswith(words)


def test_an_error_is_told_in_a_line_with_its_place() -> None:
    def raising(_request: dict[str, Any]) -> None:
        raise ValueError("two\nlines " + "x" * 1000)

    words = answer_of(raising, {"id": 1, "request": {}})["error"]
    assert words.startswith("ValueError: two lines xxx")
    assert words.endswith(" of test_custom_child.py)")
    assert len(words) <= 2 * WORDS_CHARS
    assert words_of(KeyError("a")) == "KeyError: 'a'"


def test_frames_go_both_ways_however_they_are_cut(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    send(far, {"ready": 1})
    assert near.recv(100) == len(b'{"ready": 1}').to_bytes(4, "big") + b'{"ready": 1}'
    data = json.dumps({"id": 1, "request": {}}).encode()
    for byte in len(data).to_bytes(4, "big") + data:
        near.sendall(bytes([byte]))
    assert receive(far) == {"id": 1, "request": {}}


def test_a_parent_that_is_gone_ends_it(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    near.sendall(b"\0\0")
    near.close()
    assert receive(far) is None
    with pytest.raises(SystemExit):
        send(far, {"ready": 1})
