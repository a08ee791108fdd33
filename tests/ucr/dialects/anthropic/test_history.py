from typing import Any

import pytest

from ucr.dialects import envelope
from ucr.dialects.anthropic import history
from ucr.dialects.envelope import seal

OURS = {"type": "thinking", "thinking": "mine", "signature": envelope.seal("deepseek", {"a": 1})}
CLAUDES = {"type": "thinking", "thinking": "", "signature": "EqQBCgIYAg"}
REDACTED = {"type": "redacted_thinking", "data": "x"}
TEXT = {"type": "text", "text": "t"}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        pytest.param([user(TEXT), assistant(OURS, TEXT)], [user(TEXT), assistant(TEXT)], id="edge-97-block"),
        pytest.param(
            [user(TEXT), assistant(OURS), user(TEXT)], [user(TEXT), user(TEXT)], id="edge-97-whole-turn"
        ),
        pytest.param(
            [assistant(CLAUDES, OURS, REDACTED), assistant()],
            [assistant(CLAUDES, REDACTED), assistant()],
            id="edge-97-nothing-else",
        ),
    ],
)
def test_our_own_thinking_is_left_out(turns: history.Turns, expected: history.Turns) -> None:
    assert history.without_own_thinking(turns) == expected


@pytest.mark.parametrize(
    "turns", [pytest.param([user(TEXT), assistant(CLAUDES, REDACTED, TEXT)], id="edge-99")]
)
def test_a_claudes_thinking_stays_as_it_is(turns: history.Turns) -> None:
    assert history.without_own_thinking(turns) is turns


@pytest.mark.parametrize("turns", [pytest.param([assistant(CLAUDES, TEXT, REDACTED, OURS)], id="edge-100")])
def test_thinking_is_left_out_whole(turns: history.Turns) -> None:
    assert history.without_thinking(turns) == [assistant(TEXT)]


@pytest.mark.parametrize(
    "turns", [pytest.param([assistant(REDACTED, CLAUDES), assistant(REDACTED)], id="edge-102")]
)
def test_thinking_that_only_a_claude_can_read_is_left_out(turns: history.Turns) -> None:
    assert history.without_redacted(turns) == [assistant(CLAUDES)]


def test_thinking_without_a_signature_is_no_claudes() -> None:
    turns = [assistant({"type": "thinking", "thinking": "x"}, CLAUDES, REDACTED, OURS)]
    assert history.without_unsigned_thinking(turns) == [assistant(CLAUDES, REDACTED)]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        pytest.param([user({"type": "text", "text": ""}, TEXT)], [user(TEXT)], id="edge-90-block"),
        pytest.param([user(TEXT), user({"type": "text", "text": " \n"})], [user(TEXT)], id="edge-90-turn"),
        pytest.param([{"role": "user", "content": ""}], [], id="edge-90-string"),
        pytest.param(
            [
                assistant(
                    {"type": "text", "text": ""}, {"type": "tool_use", "id": "a", "name": "n", "input": {}}
                )
            ],
            [assistant({"type": "tool_use", "id": "a", "name": "n", "input": {}})],
            id="edge-91",
        ),
        pytest.param(
            [
                user(
                    {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": ""}, TEXT]}
                )
            ],
            [user({"type": "tool_result", "tool_use_id": "a", "content": [TEXT]})],
            id="edge-90-in-a-result",
        ),
    ],
)
def test_blank_texts_are_left_out(turns: history.Turns, expected: history.Turns) -> None:
    assert history.without_empty(turns) == expected


@pytest.mark.parametrize(
    ("turns", "stays"),
    [
        pytest.param([user(TEXT), system("s")], True, id="last"),
        pytest.param([user(TEXT), system("s"), assistant(TEXT)], True, id="before-the-assistant"),
        pytest.param([user(TEXT), system("s"), user(TEXT)], False, id="before-a-user"),
        pytest.param([assistant(TEXT), system("s")], False, id="after-the-assistant"),
        pytest.param([system("s"), user(TEXT)], False, id="first"),
    ],
)
def test_a_system_turn_stays_where_the_api_takes_one(turns: history.Turns, stays: bool) -> None:
    reminder = user({"type": "text", "text": "<system-reminder>\ns\n</system-reminder>"})
    reminded = [reminder if turn["role"] == "system" else turn for turn in turns]
    assert history.with_reminders(turns, takes_system=True) == (turns if stays else reminded)
    assert history.with_reminders(turns, takes_system=False) == reminded


def test_a_reminder_keeps_what_stands_beside_its_text() -> None:
    cached = {"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}
    image = {"type": "image", "source": {"type": "url", "url": "u"}}
    (turn,) = history.with_reminders([{"role": "system", "content": [cached, image]}], takes_system=False)
    assert turn == user({**cached, "text": "<system-reminder>\ns\n</system-reminder>"}, image)


@pytest.mark.parametrize("turns", [pytest.param([assistant(TEXT), user(TEXT)], id="edge-87")])
def test_a_conversation_is_opened_by_the_user(turns: history.Turns) -> None:
    opened = history.opened_by_user(turns)
    assert [turn["role"] for turn in opened] == ["user", "assistant", "user"]
    assert opened[1:] == turns
    assert history.opened_by_user(opened) is opened
    assert history.opened_by_user([]) == []


def test_white_space_at_the_end_of_a_prefill_is_cut() -> None:
    turns = [user(TEXT), assistant(TEXT, {"type": "text", "text": "a \n"})]
    assert history.trimmed(turns)[-1] == assistant(TEXT, {"type": "text", "text": "a"})
    assert history.trimmed(turns[:1]) == turns[:1]
    called = [assistant({"type": "tool_use", "id": "a", "name": "n", "input": {}})]
    assert history.trimmed(called) is called


def test_what_the_routers_own_tools_found_is_noticed() -> None:
    def turns(id_: str) -> history.Turns:
        block = {"type": "web_search_tool_result", "tool_use_id": id_, "content": []}
        return [{"role": "user", "content": "q"}, {"role": "assistant", "content": [block]}]

    assert history.has_own(turns("srvtoolu_ucr_1"))
    assert not history.has_own(turns("srvtoolu_1"))


def test_the_routers_own_thinking_is_noticed() -> None:
    own = {"type": "thinking", "thinking": "hm", "signature": seal("p", {})}
    assert history.has_own([user(TEXT), assistant(own, TEXT)])
    assert not history.has_own([user(TEXT), assistant({**own, "signature": "x"}, TEXT)])
    assert not history.has_own([user(TEXT), assistant({"type": "redacted_thinking", "data": "x"})])
