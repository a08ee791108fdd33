from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.dialects.anthropic import pairing

TEXT = {"type": "text", "text": "t"}


def call(id_: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": "n", "input": {}}


def result(id_: str, content: str = "r") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": content}


def missing(id_: str) -> dict[str, Any]:
    return {**result(id_, "(no result: the call was interrupted)"), "is_error": True}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


SYSTEM = {"role": "system", "content": [TEXT]}


@pytest.mark.parametrize(
    ("turns", "expected", "notes"),
    [
        pytest.param(
            [assistant(call("a")), user(TEXT, result("a"))],
            [assistant(call("a")), user(result("a"), TEXT)],
            (),
            id="edge-75-results-come-first",
        ),
        pytest.param(
            [assistant(call("a"), call("b")), user(result("b")), user(TEXT), user(result("a"))],
            [assistant(call("a"), call("b")), user(result("b"), result("a"), TEXT)],
            (),
            id="edge-86-results-from-several-turns",
        ),
        pytest.param(
            [assistant(call("a")), SYSTEM, user(result("a"))],
            [assistant(call("a")), user(result("a")), SYSTEM],
            (),
            id="results-come-before-a-system-turn",
        ),
        pytest.param(
            [assistant(call("a"), call("b")), user(result("a"), TEXT)],
            [assistant(call("a"), call("b")), user(result("a"), missing("b"), TEXT)],
            (pairing.ADDED,),
            id="edge-92-one-of-two",
        ),
        pytest.param(
            [user(TEXT), assistant(call("a"))],
            [user(TEXT), assistant(call("a")), user(missing("a"))],
            (pairing.ADDED,),
            id="edge-92-at-the-end",
        ),
        pytest.param(
            [user(result("x"), TEXT), assistant(TEXT), user(result("y"))],
            [user(TEXT), assistant(TEXT)],
            (pairing.LEFT_OUT,),
            id="edge-93",
        ),
        pytest.param(
            [assistant(call("a")), user(result("a", "first"), result("a", "second"))],
            [assistant(call("a")), user(result("a", "first"))],
            (pairing.LEFT_OUT,),
            id="edge-94",
        ),
        pytest.param(
            [assistant(call("functions.Bash:0")), user(result("functions.Bash:0"))],
            [assistant(call("functions_2e_Bash_3a_0")), user(result("functions_2e_Bash_3a_0"))],
            (),
            id="ids-that-the-api-refuses",
        ),
        pytest.param(
            [assistant(call("0")), user(result("0")), assistant(call("0")), user(result("0", "other"))],
            [assistant(call("0")), user(result("0")), assistant(call("0_2")), user(result("0_2", "other"))],
            (),
            id="ids-that-were-used-before",
        ),
        pytest.param(
            [assistant(call("a"), call("a")), user(result("a", "1"), result("a", "2"))],
            [assistant(call("a"), call("a_2")), user(result("a", "1"), result("a_2", "2"))],
            (),
            id="one-id-for-two-calls",
        ),
        pytest.param([user(TEXT), user(TEXT)], [user(TEXT), user(TEXT)], (), id="edge-86-two-users-in-a-row"),
    ],
)
def test_every_call_is_answered_once_and_at_once(turns: Any, expected: Any, notes: tuple[str, ...]) -> None:
    assert pairing.paired(turns) == (expected, notes)


def test_what_is_in_order_stays_the_same_object() -> None:
    turn = assistant(TEXT)
    assert pairing.paired([turn])[0][0] is turn


_IDS = st.sampled_from(["a", "b", "c.d", ""])
_BLOCKS = st.lists(_IDS.map(call) | _IDS.map(result) | st.just(TEXT), max_size=4)
_TURNS = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant"]),
        _BLOCKS,
    ),
    max_size=6,
)


@pytest.mark.slow
@settings(max_examples=200)
@given(_TURNS)
def test_any_history_ends_in_pairs(turns: Any) -> None:
    paired, _ = pairing.paired(turns)
    seen: set[str] = set()
    for position, turn in enumerate(paired):
        if turn["role"] != "assistant":
            continue
        ids = [block["id"] for block in turn["content"] if block["type"] == "tool_use"]
        assert not seen & set(ids)
        seen |= set(ids)
        if ids:
            answers = paired[position + 1]["content"][: len(ids)]
            assert sorted(answer["tool_use_id"] for answer in answers) == sorted(ids)
