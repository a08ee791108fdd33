import os
import signal

import pytest
import trio

from ucr.wishes import EndedAtOnce, Wishes, obeying, repeat


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


async def test_the_first_signal_asks_for_the_end_and_the_block_goes_on() -> None:
    async with obeying() as wishes:
        wishes.is_starting = False
        send(signal.SIGTERM)
        await wishes.end.wait()
        assert repr(wishes) == "<Wishes end>"
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_the_block_at_once(second: signal.Signals) -> None:
    with pytest.raises(EndedAtOnce):
        async with obeying() as wishes:
            wishes.is_starting = False
            send(signal.SIGINT)
            await wishes.end.wait()
            send(second)
            await trio.sleep_forever()


async def test_a_signal_at_the_start_ends_it_without_an_error() -> None:
    async with obeying():
        send(signal.SIGTERM)
        await trio.sleep_forever()


async def test_other_signals_ask_for_other_things() -> None:
    async with obeying() as wishes:
        assert repr(wishes) == "<Wishes go on>"
        send(signal.SIGUSR2)
        await wishes.renewals.receive()
        send(signal.SIGHUP)
        await wishes.reloads.receive()


async def test_unknown_signals_are_nobodys_wish() -> None:
    wishes = Wishes()
    send_signal, signals = trio.open_memory_channel[int](1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wishes.listen, signals)
        send_signal.send_nowait(signal.SIGWINCH)
        await trio.testing.wait_all_tasks_blocked()
        assert not wishes.end.is_set()
        for channel in (wishes.renewals, wishes.reloads):
            with pytest.raises(trio.WouldBlock):
                channel.receive_nowait()
        nursery.cancel_scope.cancel()


async def test_what_is_wished_again_before_it_has_begun_is_one_wish() -> None:
    done: list[int] = []
    send_signal, signals = trio.open_memory_channel[int](10)
    wishes = Wishes()

    async def work() -> None:
        done.append(1)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            send_signal.send_nowait(signal.SIGHUP)
        nursery.start_soon(wishes.listen, signals)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(repeat, wishes.reloads, work)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert done == [1]
