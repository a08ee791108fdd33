import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ucr.errors import ApiError, UpstreamError
from ucr.patience import Patience


async def test_a_wait_that_ends_in_time_is_counted(autojump_clock: MockClock) -> None:
    patience = Patience(10)
    for _ in range(2):
        with patience.wait():
            await trio.sleep(2)
        await trio.sleep(1)
    assert patience.waited_s() == 4


async def test_waits_share_one_deadline(autojump_clock: MockClock) -> None:
    patience = Patience(10)
    with patience.wait():
        await trio.sleep(6)
    with pytest.raises(UpstreamError) as caught, patience.wait():
        await trio.sleep(6)
    assert trio.current_time() == patience.deadline
    assert (caught.value.status, caught.value.type, caught.value.fault) == (504, "timeout_error", "timeout")
    assert caught.value.message == "the answer took longer than 10 s"
    assert patience.waited_s() == 10


async def test_a_wait_that_fails_is_counted_too(autojump_clock: MockClock) -> None:
    patience = Patience(10)
    with pytest.raises(OSError, match="gone"), patience.wait():
        await trio.sleep(3)
        raise OSError("gone")
    assert patience.waited_s() == 3


async def test_an_interruption_ends_the_present_wait_with_its_error(autojump_clock: MockClock) -> None:
    patience = Patience(10)
    error = ApiError("overloaded_error", "the router stops")
    caught: list[ApiError] = []

    async def wait() -> None:
        try:
            with patience.wait():
                await trio.sleep_forever()
        except ApiError as raised:
            caught.append(raised)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        patience.interrupt(error)
    assert caught == [error]
    assert patience.waited_s() == 0


async def test_an_interruption_between_waits_ends_the_next_one_before_it_begins(
    autojump_clock: MockClock,
) -> None:
    patience = Patience(10)
    with patience.wait():
        await trio.sleep(1)
    error = ApiError("overloaded_error", "the router stops")
    patience.interrupt(error)
    for _ in range(2):
        with pytest.raises(ApiError) as caught, patience.wait():
            pytest.fail("the wait began")
        assert caught.value is error


async def test_a_client_that_leaves_is_no_timeout(autojump_clock: MockClock) -> None:
    patience = Patience(10)
    with trio.move_on_after(1) as scope, patience.wait():
        await trio.sleep_forever()
    assert scope.cancelled_caught
    assert patience.waited_s() == 1
