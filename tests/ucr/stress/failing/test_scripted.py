import trio

from tests.world.answered import ANTHROPIC, CHAT, answered, asking
from ucr.stress.failing.moves import BreakOff, Refuse, Say
from ucr.stress.failing.scripted import counts, dialect_of, holds, says, stream_of

HELLO = Say("Hello there.")


async def test_the_answer_has_the_dialect_of_the_path_and_the_form_that_was_asked_for() -> None:
    assert (await answered(says(HELLO), asking(ANTHROPIC))).json()["content"][0]["text"] == "Hello there."
    assert (await answered(says(HELLO), asking(CHAT))).json()["choices"][0]["message"][
        "content"
    ] == "Hello there."
    assert (await answered(says(HELLO), asking(CHAT, stream=True))).body.endswith(b"data: [DONE]\n\n")


async def test_a_refusal_has_its_status() -> None:
    heard = await answered(says(Refuse(403, "permission_error", "no")), asking())
    assert (heard.status, heard.json()["error"]["message"]) == (403, "no")


def test_a_stream_that_breaks_off_ends_in_an_error_and_has_no_end() -> None:
    events = stream_of(BreakOff("Half of", HELLO), "anthropic", "m")
    assert events[-1].startswith(b"event: error")
    assert b"message_stop" not in b"".join(events)


async def test_tokens_are_counted_as_they_were_told() -> None:
    assert (await answered(counts(7), asking())).json() == {"input_tokens": 7}


async def test_an_answer_is_held_in_the_middle_until_it_may_go_on(autojump_clock: object) -> None:
    go_on = trio.Event()
    held = await answered(holds(HELLO, go_on), asking(stream=True))
    assert b"Hello" in held.body
    assert not held.is_whole
    go_on.set()
    assert (await answered(holds(HELLO, go_on), asking(stream=True))).is_whole


def test_the_path_says_the_dialect() -> None:
    assert (dialect_of(asking(CHAT)), dialect_of(asking(ANTHROPIC))) == ("openai-chat", "anthropic")
