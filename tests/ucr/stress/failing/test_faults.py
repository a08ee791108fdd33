import gzip

import pytest

from tests.world.answered import CHAT, answered, asking
from ucr.stress.failing import faults, healthy

STREAM = asking(stream=True)


async def test_an_error_is_said_in_the_dialect_with_its_headers() -> None:
    heard = await answered(faults.refuses(429, (("retry-after", "7"),)), asking(CHAT))
    assert (heard.status, heard.headers["retry-after"], heard.json()["error"]["message"]) == (
        429,
        "7",
        faults.WORDS,
    )


async def test_a_refusal_that_repeats_the_key_holds_the_one_that_was_sent() -> None:
    assert b"planted" in (await answered(faults.repeats_key(401), asking())).body


@pytest.mark.parametrize("handler", [faults.closes_midway, faults.stalls, faults.says_head_only])
async def test_what_stops_in_the_middle_is_never_whole(handler: faults.Handler, autojump_clock: object) -> None:
    heard = await answered(handler, STREAM)
    assert heard.status == 200
    assert not heard.is_whole


async def test_a_body_may_end_properly_though_what_is_in_it_has_no_end() -> None:
    heard = await answered(faults.ends_midway, STREAM)
    assert heard.is_whole
    assert b"message_stop" not in heard.body


async def test_pieces_of_any_size_are_the_healthy_answer(autojump_clock: object) -> None:
    heard = await answered(faults.in_pieces(1), STREAM)
    assert heard.body == b"".join(healthy.parts(STREAM))


@pytest.mark.parametrize(
    "handler",
    [
        faults.ENDLESS_HEAD,
        faults.talks_without_end,
        faults.goes_on_in_json,
        faults.only_pings(1.0),
    ],
)
async def test_what_has_no_end_goes_on(handler: faults.Handler, autojump_clock: object) -> None:
    heard = await answered(handler, STREAM, most=1_000)
    assert len(heard.data) >= 1_000
    assert not heard.is_whole


async def test_a_bomb_is_small_on_the_wire() -> None:
    heard = await answered(faults.bombs(1_000_000), asking())
    assert len(heard.data) < 5_000
    assert len(gzip.decompress(heard.body)) == 1_000_000


async def test_an_answer_is_changed_only_if_there_is_something_to_change() -> None:
    assert b'"ends"' in (await answered(faults.changed((b'"end_turn"', b'"ends"')), asking())).body
    with pytest.raises(ExceptionGroup):
        await answered(faults.changed((b"not in it", b"")), asking())
