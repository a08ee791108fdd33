from typing import Any

import pytest

from ucr.observe.board import MOST_RECENT, Board, is_trouble


def request(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "event": "request.finished",
        "level": "info",
        "request_id": f"r{number}",
        "provider": "up",
        **fields,
    }


def statistics(**providers: Any) -> dict[str, Any]:
    return {"event": "statistics", "providers": providers}


def ids(board: Board) -> list[str]:
    return [message["request_id"] for message in board.recent()]


def press(board: Board, keys: str) -> None:
    for key in keys:
        assert board.press(key)


def test_what_happened_last_stands_first() -> None:
    board = Board()
    for number in range(3):
        board.take(request(number))
    board.take(statistics(up={}))
    assert ids(board) == ["r2", "r1", "r0"]
    assert board.statistics == statistics(up={})


def test_it_remembers_so_much_and_no_more() -> None:
    board = Board()
    for number in range(MOST_RECENT + 5):
        board.take(request(number))
    assert len(board.recent()) == MOST_RECENT
    assert ids(board)[-1] == "r5"


def test_a_key_sorts_by_the_next_column() -> None:
    board = Board()
    board.take(statistics(b={"per_s": 1.0, "errors": 0}, a={"per_s": None, "errors": 3}, c={"per_s": 5.0}))
    orders = []
    for _ in range(5):
        orders.append((board.sort, "".join(name for name, _ in board.providers())))
        press(board, "s")
    assert orders == [
        ("name", "abc"),
        ("per_s", "cba"),
        ("requests", "abc"),
        ("errors", "abc"),
        ("in_flight", "abc"),
    ]
    assert board.sort == "name"


def test_a_filter_is_typed_and_used_with_enter() -> None:
    board = Board()
    board.take(statistics(groq={}, up={}))
    board.take(request(1, provider="groq"))
    board.take(request(2))
    press(board, "/GROW\x7f")
    assert (board.typing, ids(board)) == ("GRO", ["r2", "r1"])
    press(board, "\n")
    assert (board.filter, board.typing, ids(board)) == ("GRO", None, ["r1"])
    assert [name for name, _ in board.providers()] == ["groq"]
    press(board, "/xyz\x1b")
    assert board.filter == "GRO"
    press(board, "\x1b")
    assert ids(board) == ["r2", "r1"]


def test_keys_are_letters_while_a_filter_is_typed() -> None:
    board = Board()
    press(board, "/qsep")
    assert (board.typing, board.sort, board.is_paused) == ("qsep", "name", False)


def test_errors_alone_can_be_shown() -> None:
    board = Board()
    board.take(request(1))
    board.take(request(2, error_type="api_error"))
    board.take({"event": "breaker.opened", "level": "warning", "request_id": "b"})
    press(board, "e")
    assert ids(board) == ["b", "r2"]
    press(board, "e")
    assert ids(board) == ["b", "r2", "r1"]


def test_while_paused_nothing_changes_and_nothing_is_lost() -> None:
    board = Board()
    board.take(request(1))
    press(board, "p")
    board.take(request(2))
    board.take(statistics(up={}))
    assert (ids(board), board.statistics) == (["r1"], {})
    press(board, "p")
    assert (ids(board), board.statistics) == (["r2", "r1"], statistics(up={}))


@pytest.mark.parametrize("key", ["q", "Q"])
def test_q_ends_it(key: str) -> None:
    assert Board().press(key) is False
    assert Board().press("x") is True


def test_trouble_is_an_error_or_a_warning() -> None:
    assert not is_trouble(request(1))
    assert is_trouble(request(1, error_type="client_gone"))
    assert is_trouble({"event": "worker.stalled", "level": "warning"})
