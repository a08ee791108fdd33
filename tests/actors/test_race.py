import pytest
import trio
from trio.testing import MockClock

from actors.race import interleaved, race


class Runner:
    """A connection that was made."""

    def __init__(self, address: str, closed: list[str]) -> None:
        self.address = address
        self._closed = closed

    async def aclose(self) -> None:
        self._closed.append(self.address)
        await trio.lowlevel.checkpoint()


class Track:
    """Connects after as many seconds as it is told; None fails at once."""

    def __init__(self, **seconds: float | None) -> None:
        self._seconds = seconds
        self.started: list[tuple[str, float]] = []
        self.closed: list[str] = []

    async def connect(self, address: str) -> Runner:
        self.started.append((address, trio.current_time()))
        seconds = self._seconds[address]
        if seconds is None:
            raise OSError(f"{address} refused")
        await trio.sleep(seconds)
        return Runner(address, self.closed)


async def test_one_address_is_simply_connected_to() -> None:
    track = Track(a=0)
    assert (await race(("a",), track.connect)).address == "a"  # type: ignore[type-var]


async def test_the_next_address_starts_when_the_first_is_slow(autojump_clock: MockClock) -> None:
    track = Track(a=10, b=0.1)
    started_at = trio.current_time()
    assert (await race(("a", "b"), track.connect)).address == "b"  # type: ignore[type-var]
    assert track.started == [("a", started_at), ("b", started_at + 0.25)]
    assert trio.current_time() == pytest.approx(started_at + 0.35)


async def test_the_next_address_starts_at_once_when_the_first_fails(autojump_clock: MockClock) -> None:
    track = Track(a=None, b=0.1)
    started_at = trio.current_time()
    assert (await race(("a", "b"), track.connect)).address == "b"  # type: ignore[type-var]
    assert track.started[1] == ("b", started_at)


async def test_the_first_address_wins_if_it_is_only_a_little_slow(autojump_clock: MockClock) -> None:
    track = Track(a=0.3, b=5)
    assert (await race(("a", "b"), track.connect)).address == "a"  # type: ignore[type-var]


async def test_only_one_of_two_that_connect_in_the_same_moment_is_kept(autojump_clock: MockClock) -> None:
    go, closed = trio.Event(), list[str]()

    async def connect(address: str) -> Runner:
        if address == "starter":
            await trio.sleep(1)
            go.set()
            raise OSError("the starter does not run")
        await go.wait()
        return Runner(address, closed)

    winner = await race(("a", "b", "starter"), connect)  # type: ignore[type-var]
    assert len(closed) == 1
    assert {winner.address, *closed} == {"a", "b"}


async def test_the_first_failure_is_raised_when_all_fail(autojump_clock: MockClock) -> None:
    with pytest.raises(OSError, match="a refused"):
        await race(("a", "b"), Track(a=None, b=None).connect)  # type: ignore[type-var]


async def test_no_address_is_an_error() -> None:
    with pytest.raises(OSError, match="no address"):
        await race((), Track().connect)  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("addresses", "order"),
    [
        ((), ()),
        (("::1", "::2", "10.0.0.1", "10.0.0.2"), ("::1", "10.0.0.1", "::2", "10.0.0.2")),
        (("10.0.0.1", "::1", "::2", "::3"), ("10.0.0.1", "::1", "::2", "::3")),
        (("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "10.0.0.2")),
    ],
)
def test_families_alternate(addresses: tuple[str, ...], order: tuple[str, ...]) -> None:
    assert interleaved(addresses) == order
