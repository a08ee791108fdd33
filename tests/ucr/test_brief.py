"""Asking for a short time, and for less once it was in vain."""

from dataclasses import dataclass
from typing import Any

import pytest
import trio

from actors import AskTimeout, Mailbox, Ref
from actors.ref import Question
from ucr.brief import ANSWER_S, LATE_ANSWER_S, Brief


@dataclass(frozen=True, slots=True)
class Greet(Question[str]):
    """Ask for a word."""


async def test_it_waits_less_after_a_time_without_an_answer_until_one_comes(autojump_clock: object) -> None:
    mailbox: Mailbox[Any] = Mailbox("slow", capacity=9)
    ref, brief = Ref[object](mailbox), Brief()

    async def answer(after_s: float) -> None:
        _, reply = await mailbox.take()
        await trio.sleep(after_s)
        reply.answer("hello")

    async with trio.open_nursery() as nursery:
        for after_s, patience_s in (
            (0.2, ANSWER_S),
            (0.3, ANSWER_S),
            (0.2, LATE_ANSWER_S),
            (0.04, LATE_ANSWER_S),
            (0.2, ANSWER_S),
        ):
            nursery.start_soon(answer, after_s)
            began_s = trio.current_time()
            if after_s < patience_s:
                assert await brief.ask(ref, Greet()) == "hello"
            else:
                with pytest.raises(AskTimeout):
                    await brief.ask(ref, Greet())
            assert trio.current_time() - began_s == pytest.approx(min(after_s, patience_s))
            await trio.sleep(1)


async def test_who_is_cancelled_is_no_less_patient(autojump_clock: object) -> None:
    mailbox: Mailbox[Any] = Mailbox("silent", capacity=9)
    brief = Brief()
    with trio.move_on_after(0.1):
        await brief.ask(Ref[object](mailbox), Greet())
    assert repr(brief) == f"<Brief: {ANSWER_S} s>"
