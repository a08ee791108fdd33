from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.world.custom import (
    Behaviour,
    FakeProcess,
    answering,
    babbling,
    custom_stage,
    deaf,
    dying,
    failing,
    hanging,
    silent,
)
from ucr.custom_talk import (
    LIMITS,
    PENDING_LIMIT,
    QUEUED_LIMIT_BYTES,
    CustomError,
    Talk,
)


@asynccontextmanager
async def talking(behave: Behaviour) -> AsyncIterator[tuple[Talk, FakeProcess]]:
    async with custom_stage(behave) as stage, trio.open_nursery() as nursery:
        talk = Talk(*stage.start("router.py", 1))
        nursery.start_soon(talk.run)
        with trio.move_on_after(10):
            await talk.settled.wait()
        yield talk, stage.processes[0]
        talk.end("the test ends")
        await talk.over.wait()


async def kind_of(talk: Talk, view: bytes = b"{}") -> str:
    with pytest.raises(CustomError) as caught:
        await talk.ask(view)
    return caught.value.kind


async def test_a_question_gets_the_answer_of_the_function(autojump_clock: object) -> None:
    async with talking(answering(lambda request: [request["a"], None])) as (talk, process):
        assert await talk.ask(b'{"a":1}') == [1, None]
        assert process.asked == [{"a": 1}]
        assert repr(talk) == f"<Talk with process {process.pid}: ready, 0 asked, 0 bytes>"
    assert repr(talk).endswith("over, 0 asked, 0 bytes>")


async def test_each_of_many_gets_its_own_answer(autojump_clock: object) -> None:
    answers: dict[int, Any] = {}
    async with talking(answering(lambda request: request["n"], after_s=0.001)) as (talk, _):

        async def ask(number: int) -> None:
            answers[number] = await talk.ask(b'{"n":%d}' % number)

        async with trio.open_nursery() as nursery:
            for number in range(PENDING_LIMIT):
                nursery.start_soon(ask, number)
    assert answers == {number: number for number in range(PENDING_LIMIT)}


async def test_nobody_waits_longer_than_the_limit(autojump_clock: object) -> None:
    async with talking(hanging) as (talk, _):
        began = trio.current_time()
        assert await kind_of(talk) == "timeout"
        assert trio.current_time() - began == pytest.approx(LIMITS.answer_s)


async def test_an_answer_that_came_while_this_process_stood_still_is_in_time(autojump_clock: MockClock) -> None:
    async def behave(process: FakeProcess) -> None:
        await process.say({"ready": process.pid})
        while question := await process.question():
            await process.say({"id": question["id"], "result": len(process.asked)})
            autojump_clock.jump(10 * LIMITS.hung_s)

    async with talking(behave) as (talk, _):
        assert [await talk.ask(b"{}") for _ in range(20)] == list(range(1, 21))


async def test_behind_a_question_that_is_late_nobody_waits_at_all(autojump_clock: object) -> None:
    async with talking(hanging) as (talk, _):
        assert await kind_of(talk) == "timeout"
        await trio.sleep(0.01)
        began = trio.current_time()
        assert await kind_of(talk) == "busy"
        assert trio.current_time() == began


async def test_an_answer_that_comes_late_is_nobodys_and_the_next_are_asked_again(
    autojump_clock: object,
) -> None:
    async with talking(answering(lambda request: request["n"], after_s=0.5)) as (talk, process):
        assert await kind_of(talk, b'{"n":1}') == "timeout"
        await trio.sleep(1)
        assert not talk.over.is_set()
        assert await kind_of(talk, b'{"n":2}') == "timeout"
        assert [request["n"] for request in process.asked] == [1, 2]


async def test_a_process_that_owes_an_answer_for_a_second_is_ended(autojump_clock: object) -> None:
    async with talking(hanging) as (talk, process):
        await trio.sleep(100)
        began = trio.current_time()
        assert await kind_of(talk) == "timeout"
        await talk.over.wait()
        assert trio.current_time() - began == pytest.approx(LIMITS.hung_s)
        assert process.gone.is_set()
        assert "no answer" in talk.why
        assert await kind_of(talk) == "down"


async def test_what_waits_is_bounded_in_number_and_bytes(autojump_clock: object) -> None:
    async with talking(deaf) as (talk, _):
        kinds: list[str] = []

        async def ask(view: bytes) -> None:
            kinds.append(await kind_of(talk, view))

        async with trio.open_nursery() as nursery:
            for _ in range(PENDING_LIMIT + 3):
                nursery.start_soon(ask, b"{}")
        assert sorted(kinds) == ["busy"] * 3 + ["timeout"] * PENDING_LIMIT
    async with talking(deaf) as (talk, _):
        assert await kind_of(talk, b"x" * (QUEUED_LIMIT_BYTES + 1)) == "busy"


async def test_the_end_of_the_process_is_told_to_whoever_waits(autojump_clock: object) -> None:
    async with talking(dying) as (talk, _):
        began = trio.current_time()
        assert await kind_of(talk) == "down"
        assert trio.current_time() == began
        assert talk.why == "its process has ended"


async def test_being_killed_in_the_middle_of_a_question_is_told_at_once(autojump_clock: object) -> None:
    async with talking(hanging) as (talk, process):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kind_of, talk)
            await trio.testing.wait_all_tasks_blocked()
            process.kill()
        assert talk.why == "its process has ended"


async def test_what_is_no_answer_ends_the_process(autojump_clock: object) -> None:
    async with talking(babbling) as (talk, process):
        assert await kind_of(talk) == "down"
        await talk.over.wait()
        assert "no answer" in talk.why
        assert process.gone.is_set()


async def test_what_the_function_raised_is_an_error_and_ends_nothing(autojump_clock: object) -> None:
    async def raising(process: FakeProcess) -> None:
        await process.say({"ready": 1})
        while question := await process.question():
            await process.say({"id": question["id"], "error": "ValueError: x"})

    async with talking(raising) as (talk, _):
        with pytest.raises(CustomError, match="ValueError: x") as caught:
            await talk.ask(b"{}")
        assert caught.value.kind == "error"
        assert await kind_of(talk) == "error"


async def test_a_file_that_cannot_be_loaded_is_told(autojump_clock: object) -> None:
    async with talking(failing) as (talk, _):
        assert not talk.is_ready
        assert "SyntaxError: no" in talk.why


async def test_before_it_is_ready_it_is_not_asked(autojump_clock: object) -> None:
    async with talking(silent) as (talk, _):
        assert repr(talk).endswith("starting, 0 asked, 0 bytes>")
        assert await kind_of(talk) == "down"


async def test_whoever_leaves_while_he_waits_leaves_nothing_behind(autojump_clock: object) -> None:
    async with talking(answering(lambda request: 1, after_s=0.05)) as (talk, _):
        with trio.move_on_after(0.01):
            await talk.ask(b"{}")
        await trio.sleep(1)
        assert repr(talk).endswith("ready, 0 asked, 0 bytes>")
