from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from ucr.watch import DEBOUNCE_S, POLL_S, signature_of, watch

AT_ONCE_S = POLL_S + DEBOUNCE_S + 0.01


@asynccontextmanager
async def watching(place: Path) -> AsyncIterator[list[float]]:
    """Watch a file in the block; give the times at which it was found changed."""
    times: list[float] = []

    async def changed() -> None:
        times.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, lambda: str(place), changed, signature_of(str(place)))
        await trio.testing.wait_all_tasks_blocked()
        yield times
        nursery.cancel_scope.cancel(reason="the test has ended")


def write(place: Path) -> None:
    place.write_text("something else", "utf-8")


def rename(place: Path) -> None:
    other = place.with_suffix(".new")
    other.write_text("a", "utf-8")
    other.replace(place)


def swap_link(place: Path) -> None:
    target = place.with_suffix(".target")
    target.write_text("a", "utf-8")
    place.unlink()
    place.symlink_to(target)


@pytest.mark.parametrize("change", [write, rename, swap_link, Path.unlink])
async def test_every_way_of_changing_a_file_is_seen_once(
    autojump_clock: object, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    place = tmp_path / "ucr.toml"
    place.write_text("a", "utf-8")
    async with watching(place) as times:
        await trio.sleep(10)
        assert times == []
        change(place)
        await trio.sleep(AT_ONCE_S)
        assert len(times) == 1
        await trio.sleep(60)
        assert len(times) == 1


async def test_a_file_that_appears_is_seen(autojump_clock: object, tmp_path: Path) -> None:
    place = tmp_path / "ucr.toml"
    async with watching(place) as times:
        write(place)
        await trio.sleep(AT_ONCE_S)
        assert len(times) == 1


async def test_a_storm_of_changes_is_one_change_when_it_is_over(autojump_clock: object, tmp_path: Path) -> None:
    place = tmp_path / "ucr.toml"
    async with watching(place) as times:
        for number in range(50):
            place.write_text("x" * number, "utf-8")
            await trio.sleep(0.3)
        over = trio.current_time()
        await trio.sleep(60)
        assert len(times) == 1
        assert over <= times[0] <= over + 2 * DEBOUNCE_S + POLL_S


def test_without_a_place_there_is_no_signature(tmp_path: Path) -> None:
    assert signature_of(None) is None
    assert signature_of(str(tmp_path / "gone")) is None
    assert signature_of(str(tmp_path)) is not None


async def test_a_change_between_the_reading_and_the_watching_is_seen(
    autojump_clock: object, tmp_path: Path
) -> None:
    place = tmp_path / "ucr.toml"
    place.write_text("a", "utf-8")
    known = signature_of(str(place))
    rename(place)
    times: list[float] = []

    async def changed() -> None:
        times.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, lambda: str(place), changed, known)
        await trio.sleep(60)
        nursery.cancel_scope.cancel(reason="the test has ended")
    assert len(times) == 1
