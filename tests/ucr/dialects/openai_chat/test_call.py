"""One call: its name, its id, and when it is another one."""

import pytest

from ucr.dialects.openai_chat.call import Call, Fragment
from ucr.events import ToolUse


def made(*fragments: Fragment, names: dict[str, str] | None = None) -> Call:
    call = Call("seed", set(), names or {})
    for fragment in fragments:
        call.add(fragment)
    return call


@pytest.mark.parametrize(
    ("fragments", "name"),
    [
        pytest.param([Fragment(name="f"), Fragment(name="f")], "f", id="edge-16"),
        pytest.param([Fragment(name="get_"), Fragment(name="it")], "get_it", id="edge-14"),
        pytest.param([Fragment(name="f"), Fragment(name="")], "f", id="edge-15"),
    ],
)
def test_a_name_comes_whole_in_pieces_or_again(fragments: list[Fragment], name: str) -> None:
    assert made(*fragments).name == name


@pytest.mark.parametrize(
    ("fragments", "can_open"),
    [
        pytest.param([Fragment(name="f")], False, id="edge-14-the-name-may-go-on"),
        pytest.param([Fragment(arguments="{")], False, id="edge-14-no-name"),
        pytest.param([Fragment(arguments="{"), Fragment(name="f")], False, id="edge-14-a-late-name-may-go-on"),
        pytest.param(
            [Fragment(arguments="{"), Fragment(name="f"), Fragment(arguments="}")], True, id="edge-14-late"
        ),
        ([Fragment(name="f", arguments="{")], True),
        ([Fragment(name="f", arguments="nu")], False),
        pytest.param([Fragment(name="multi_tool_use.parallel", arguments="{")], False, id="edge-135"),
        ([Fragment(name="f", arguments="{", is_custom=True)], False),
    ],
)
def test_a_call_opens_with_a_whole_name_and_an_object(fragments: list[Fragment], can_open: bool) -> None:
    assert made(*fragments).can_open is can_open


WHOLE = Fragment(id="aaaa1111", name="f", arguments="{}")


@pytest.mark.parametrize(
    ("first", "second", "is_other"),
    [
        pytest.param(WHOLE, Fragment(id="bbbb1111", name="f"), True, id="edge-20"),
        pytest.param(WHOLE, Fragment(id="bbbb1111", arguments="x"), False, id="another-id-without-a-name"),
        pytest.param(WHOLE, Fragment(id="aaaa1111", name="f", arguments="{}"), False, id="edge-16"),
        pytest.param(WHOLE, Fragment(name="g"), True, id="another-name-after-the-end"),
        pytest.param(WHOLE, Fragment(name="f"), False, id="the-name-again"),
        pytest.param(WHOLE, Fragment(name="f", arguments="{}"), True, id="edge-18"),
        pytest.param(
            Fragment(name="f", arguments="{"), Fragment(name="f", arguments="}"), False, id="not-ended"
        ),
        pytest.param(WHOLE, Fragment(arguments=" "), False, id="no-name"),
    ],
)
def test_another_call_begins_with_a_name(first: Fragment, second: Fragment, is_other: bool) -> None:
    assert made(first).is_followed_by(second) is is_other


def test_an_id_is_final_once_it_was_given() -> None:
    call = made(Fragment(name="f"))
    given = call.client_id()
    call.add(Fragment(id="late1234"))
    assert call.client_id() == given


@pytest.mark.parametrize(
    ("fragment", "is_cut", "text"),
    [
        (Fragment(name="f"), False, "{}"),
        pytest.param(Fragment(name="f", arguments='{"a":[1'), False, '{"a":[1]}', id="edge-25"),
        pytest.param(Fragment(name="f", arguments='{"a":[1'), True, '{"a":[1', id="edge-24"),
        (Fragment(name="f", arguments="[1"), True, '{"_raw":"[1"}'),
        pytest.param(
            Fragment(name="f", arguments="a b", is_custom=True), False, '{"input":"a b"}', id="edge-136"
        ),
    ],
)
def test_a_call_that_was_not_streamed_is_written_whole(fragment: Fragment, is_cut: bool, text: str) -> None:
    (block,) = made(fragment, names={"f": "long_f"}).blocks(is_cut=is_cut)
    assert (block.name, block.input_json) == ("long_f", text)


@pytest.mark.parametrize("name", [pytest.param("parallel", id="edge-135")])
def test_wrapped_calls_get_names_and_ids_of_their_own(name: str) -> None:
    text = (
        '{"tool_uses":[{"recipient_name":"functions.f","parameters":{"a":12345678901234567890123}},'
        '{"recipient_name":"functions.g","parameters":{}}]}'
    )
    first, second = made(Fragment(name=name, arguments=text), names={"f": "long_f"}).blocks(is_cut=False)
    assert first == ToolUse(first.id, "long_f", '{"a":12345678901234567890123}')
    assert second == ToolUse(second.id, "g", "{}")
    assert first.id != second.id


def test_a_call_without_a_name_is_no_block() -> None:
    assert made(Fragment(id="aaaa1111", arguments="{}")).blocks(is_cut=False) == ()
