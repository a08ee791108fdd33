import pytest
import trio

from tests.world.answered import answered, asking
from ucr.stress.failing.faults import refuses
from ucr.stress.failing.named import NAMED, Moody, flapping, square_wave

FAULT = refuses(503)


async def status_of(handler: object) -> int:
    assert callable(handler)
    return (await answered(handler, asking())).status


async def test_a_moody_handler_fails_as_long_as_it_is_told_to() -> None:
    moody = Moody(FAULT)
    assert await status_of(moody) == 503
    moody.fault = None
    assert await status_of(moody) == 200


async def test_one_that_flaps_fails_each_so_many() -> None:
    handler = flapping(FAULT, every=3)
    assert [await status_of(handler) for _ in range(6)] == [200, 200, 503, 200, 200, 503]


async def test_a_square_wave_is_down_first_and_then_up(autojump_clock: object) -> None:
    handler, seen = square_wave(FAULT, down_s=5, up_s=3), []
    for _ in range(9):
        seen.append(await status_of(handler))
        await trio.sleep(1)
    assert seen == [503] * 5 + [200] * 3 + [503]


@pytest.mark.parametrize("name", ["well", "status-529", "page", "gzip"])
async def test_each_fault_answers_by_its_name(name: str) -> None:
    heard = await answered(NAMED[name], asking())
    assert (heard.is_whole, heard.status) == (True, 529 if name == "status-529" else 200)
