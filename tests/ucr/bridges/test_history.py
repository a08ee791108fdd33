"""Earlier calls of server tools, for models that know no such tools, and for the servers that cannot read ours."""

from typing import Any

from tests.world.anthropic_requests import assistant, user
from ucr.bridges import blocks
from ucr.bridges.blocks import Found
from ucr.bridges.history import unfolded, without_own


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def used(id_: str) -> dict[str, Any]:
    return blocks.call(id_, "web_search", {"query": "cats"})


def found(id_: str) -> dict[str, Any]:
    return blocks.result(id_, "web_search", (Found("Cats", "https://cats.test", "They purr."),))


def called(id_: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": "web_search", "input": {"query": "cats"}}


def brought(id_: str) -> dict[str, Any]:
    return blocks.tool_result(found(id_), id_)


READ = {"type": "tool_use", "id": "r", "name": "read", "input": {}}


def test_a_call_and_its_result_become_turns() -> None:
    turns = [user(text("q")), assistant(text("a"), used("s1"), found("s1"), text("b"), used("s2"), found("s2"))]
    assert unfolded(turns) == [
        user(text("q")),
        assistant(text("a"), called("s1")),
        user(brought("s1")),
        assistant(text("b"), called("s2")),
        user(brought("s2")),
    ]


def test_calls_side_by_side_stay_so_and_words_after_them_are_a_turn() -> None:
    turn = assistant(used("s1"), used("s2"), found("s1"), found("s2"), text("b"))
    assert unfolded([turn]) == [
        assistant(called("s1"), called("s2")),
        user(brought("s1"), brought("s2")),
        assistant(text("b")),
    ]


def test_the_clients_own_calls_come_last_where_their_results_follow() -> None:
    turn = assistant(READ, used("s1"), found("s1"))
    assert unfolded([turn]) == [assistant(called("s1")), user(brought("s1")), assistant(READ)]


def test_a_call_without_a_result_is_left_out() -> None:
    assert unfolded([assistant(text("a"), used("gone"), used("s1"), found("s1"))])[0] == assistant(
        text("a"), called("s1")
    )


def test_other_turns_are_the_very_same() -> None:
    turns = [user(text("q")), {"role": "assistant", "content": "a"}, assistant(READ)]
    assert all(made is turn for made, turn in zip(unfolded(turns), turns, strict=True))
    assert without_own(turns) == turns


def test_what_the_router_ran_is_told_in_words_to_the_servers_that_run_such_tools() -> None:
    own = "srvtoolu_ucr_1"
    turns = [
        user(text("q")),
        assistant(text("a"), used(own), found(own), used("srvtoolu_1"), found("srvtoolu_1")),
    ]
    made = without_own(turns)[1]["content"]
    assert made[1] == text("[web_search]\n1. Cats\nhttps://cats.test\nThey purr.")
    assert [block.get("id", block.get("tool_use_id")) for block in made[2:]] == ["srvtoolu_1"] * 2
    assert without_own(made := without_own(turns)) == made
