"""The short way of writing a conversation: it says what the long way says, or nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat import answered, assistant, call, capture, result, said, target, text, user
from ucr.dialects.envelope import seal
from ucr.dialects.openai_chat.conversation import write_plain
from ucr.dialects.openai_chat.messages import write_turns
from ucr.dialects.openai_chat.notes import Notes

TOLD = {"role": "system", "content": [text("note")]}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "theirs"}
OURS = {"type": "thinking", "thinking": "hm", "signature": seal("local", {"reasoning_content": "hm"})}
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://x"}}
WAYS = {
    "all": target(),
    "reminders": target(mid_system=False),
    "folded": target(system_role="user"),
    "alternating": target(merge_turns=True, user_after_tool=False),
}


def test_text_calls_and_results_are_written_in_one_pass() -> None:
    turns = [
        user(text("go")),
        TOLD,
        assistant(THOUGHT, text("I call."), call("t1", city="Rome"), call("t2")),
        user(result("t2", "two"), text("and?")),
        user(result("t1", "one", is_error=True)),
        {"role": "assistant", "content": "Done."},
    ]
    assert write_plain(turns, target(), {"get_weather": "weather"}) == [
        {"role": "user", "content": "go"},
        {"role": "system", "content": "note"},
        {
            "role": "assistant",
            "content": "I call.",
            "tool_calls": [said("t1", "weather", '{"city":"Rome"}'), said("t2", "weather")],
        },
        answered("t1", "Error: one"),
        answered("t2", "two"),
        {"role": "user", "content": "and?"},
        {"role": "assistant", "content": "Done."},
    ]


@pytest.mark.parametrize("name", ["tool-loop", "parallel-tools", "plain", "subagent", "thinking_disabled"])
def test_a_conversation_of_claude_code_is_plain(name: str) -> None:
    assert write_plain(capture(name)["messages"], target(), {}) is not None


@pytest.mark.parametrize(
    "turns",
    [
        pytest.param([TOLD, user(text("q"))], id="system-first"),
        pytest.param([user(text("q")), assistant(text("a")), assistant(text("b"))], id="two-answers"),
        pytest.param(
            [user(text("q")), assistant(text("a")), user(text(" ")), assistant(text("b"))], id="blank"
        ),
        pytest.param([user(text("q")), assistant(call("t1")), user(text("stop"))], id="no-result"),
        pytest.param([user(result("t1", "r"))], id="no-call"),
        pytest.param([user(text("q")), assistant(call("t1"), call("t1")), user(result("t1"))], id="same-id"),
        pytest.param(
            [user(text("q")), assistant(call("t1")), user(result("t1"), result("t1"))], id="second-result"
        ),
        pytest.param([user(text("q")), assistant(call("")), user(result(""))], id="no-id"),
        pytest.param([user(IMAGE)], id="image"),
        pytest.param([user(text("q")), assistant(call("t1")), user(result("t1", IMAGE))], id="image-result"),
        pytest.param([user(text("q")), assistant(OURS, text("a"))], id="own-thinking"),
        pytest.param([user(text("q")), assistant(THOUGHT)], id="thinking-alone"),
        pytest.param([user(text("q")), assistant(text("a", citations=[{}]))], id="citations"),
        pytest.param([{"role": "tool", "content": "r"}], id="role"),
        pytest.param(["q"], id="no-turn"),
        pytest.param([{"role": "user", "content": ["q"]}], id="no-block"),
        pytest.param([{"role": "user", "content": 5}], id="no-content"),
        pytest.param("q", id="no-list"),
    ],
)
def test_what_is_not_plain_is_left_to_the_long_way(turns: Any) -> None:
    assert write_plain(turns, target(), {}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"tools": False},
        {"cache_control": True},
        {"reasoning_history": "reasoning_content"},
        {"thought_signatures": True},
        {"tool_id": "alnum9"},
    ],
)
def test_a_provider_that_wants_more_gets_the_long_way(changes: dict[str, Any]) -> None:
    assert write_plain([user(text("q"))], target(**changes), {}) is None


PIECES = st.sampled_from(
    [
        *(text("a"), text(" "), text("b", cache_control={"type": "ephemeral"}), THOUGHT, OURS, IMAGE, "odd"),
        *(
            call("t1"),
            call("t2", city="Rome"),
            call("ucrx_Zi4x"),
            {"type": "tool_use", "id": "t1", "name": "n"},
        ),
        *(
            result("t1", "r"),
            result("t2", text("x"), text("y")),
            result("t1", is_error=True),
            result("f.1", "z"),
        ),
        *({"type": "text"}, {"type": "redacted_thinking", "data": "d"}, text("c", citations=[{"x": 1}]), {}),
    ]
)
TURNS = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "user", "assistant", "system", "other"]),
            "content": st.lists(PIECES, max_size=3) | st.sampled_from(["words", " ", ""]),
        }
    ),
    max_size=6,
)
LOOPS = st.lists(
    st.sampled_from(
        [
            [user(text("a"))],
            [TOLD],
            [assistant(text("b"))],
            [assistant(call("t1")), user(result("t1", "r"))],
            [
                assistant(call("t1"), call("t2")),
                user(text("c"), result("t2", "r")),
                user(result("t1", text("d"))),
            ],
            [user()],
        ]
    ),
    max_size=6,
).map(lambda parts: [turn for part in parts for turn in part])


@settings(deadline=None, max_examples=500)
@given(turns=TURNS | LOOPS, way=st.sampled_from(sorted(WAYS)))
def test_both_ways_write_the_same(turns: list[Any], way: str) -> None:
    names, notes = {"get_weather": "w"}, Notes()
    written = write_plain(turns, WAYS[way], names)
    if written is not None:
        assert (written, []) == write_turns({"messages": turns}, WAYS[way], names, notes)
        assert notes.phrases == ()
