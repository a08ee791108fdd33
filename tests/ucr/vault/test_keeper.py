"""The keeper: bounded in number, bytes and age."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from actors import open_supervisor
from ucr.config.model import State as Config
from ucr.vault.keeper import MOST_FOUND_BYTES, Keeper, KeeperSpec, keeper_spec
from ucr.vault.messages import FindStates, KeepState


@asynccontextmanager
async def keeping(spec: KeeperSpec) -> AsyncIterator[Keeper]:
    async with open_supervisor() as supervisor:
        yield await supervisor.start(Keeper(spec))


async def found(keeper: Keeper, *keys: bytes) -> tuple[bytes | None, ...]:
    return (await keeper.ref.ask(FindStates(keys))).found


async def test_what_is_kept_is_found(autojump_clock: object) -> None:
    async with keeping(KeeperSpec()) as keeper:
        keeper.ref.tell(KeepState(b"a", b"1"))
        keeper.ref.tell(KeepState(b"a", b"2"))
        assert await found(keeper, b"a", b"b") == (b"2", None)
        assert (keeper.statistics().hits, keeper.statistics().misses) == (1, 1)


async def test_it_is_bounded_by_number_and_by_bytes(autojump_clock: object) -> None:
    async with keeping(KeeperSpec(max_entries=2)) as keeper:
        for key in (b"a", b"b", b"c"):
            keeper.ref.tell(KeepState(key, b"1"))
        assert await found(keeper, b"a", b"b", b"c") == (None, b"1", b"1")
    async with keeping(KeeperSpec(max_bytes=1_000_000)) as keeper:
        for number in range(1000):
            keeper.ref.tell(KeepState(b"%d" % number, b"x" * 10_000))
        assert await found(keeper, b"999") == (b"x" * 10_000,)
        assert keeper.statistics().bytes <= 1_000_000
        assert keeper.statistics().evicted > 800


async def test_what_nobody_wants_grows_old_and_what_is_used_stays(autojump_clock: object) -> None:
    async with keeping(KeeperSpec(ttl_s=60)) as keeper:
        keeper.ref.tell(KeepState(b"a", b"1"))
        keeper.ref.tell(KeepState(b"b", b"1"))
        for _ in range(3):
            await trio.sleep(40)
            assert await found(keeper, b"a") == (b"1",)
        assert await found(keeper, b"b") == (None,)


async def test_one_answer_holds_so_much_and_the_latest_calls_go_first(autojump_clock: object) -> None:
    large = b"x" * (MOST_FOUND_BYTES // 2)
    async with keeping(KeeperSpec()) as keeper:
        for key in (b"a", b"b", b"c"):
            keeper.ref.tell(KeepState(key, large))
        assert await found(keeper, b"a", b"b", b"c") == (None, large, large)


async def test_states_die_with_the_actor(autojump_clock: object) -> None:
    async with keeping(KeeperSpec()) as keeper:
        keeper.ref.tell(KeepState(b"a", b"1"))
        keeper.ref.tell("nonsense")  # type: ignore[arg-type]
        await trio.sleep(1)
        assert await found(keeper, b"a") == (None,)


def test_the_configuration_says_how_much() -> None:
    assert keeper_spec(Config(ttl_s=1, max_entries=2, max_bytes=3)) == KeeperSpec(1, 2, 3)
    assert keeper_spec(Config()) == KeeperSpec()
