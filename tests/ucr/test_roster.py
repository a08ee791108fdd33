from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
import trio

from actors import Board, open_supervisor
from actors import Provider as ProviderChild
from ucr import upstream
from ucr.config.model import Config, Provider
from ucr.config.plan import plan_of
from ucr.roster import Place, Roster, Succession
from ucr.secret import Secret
from ucr.stress.network import MemoryNetwork

ONE = Provider("one", "anthropic", "http://one.test", max_requests=3)
TWO = Provider("two", "openai-chat", "http://two.test/v1")
BOTH = Config(providers=(ONE, TWO))


class Unstartable(Exception):
    """There is no such provider today."""


@dataclass
class Scene:
    roster: Roster
    board: Board
    config: Config
    names: list[str]

    async def follow(self, *providers: Provider) -> Succession:
        config = Config(providers=providers)
        succession = await self.roster.follow(plan_of(self.config, config), config)
        self.config = config
        return succession


@asynccontextmanager
async def opened() -> AsyncIterator[Scene]:
    board: Board = {}
    names: list[str] = []

    def make(provider: Provider, name: str, place: Board) -> ProviderChild:
        if provider.base_url == "http://broken.test":
            raise Unstartable
        names.append(name)
        return ProviderChild(replace(upstream.spec_of(provider), id=name), MemoryNetwork(), place)

    async with open_supervisor(grace_s=1) as supervisor:
        scene = Scene(Roster(supervisor, board, make), board, Config(), names)
        await scene.follow(ONE, TWO)
        yield scene


async def test_every_provider_has_an_actor_and_an_entry_on_the_board() -> None:
    async with opened() as scene:
        assert list(scene.roster.children) == list(scene.board) == ["one", "two"]
        assert repr(scene.roster) == "<Roster of one, two>"
    assert scene.board == {}


async def test_a_provider_that_did_not_change_keeps_its_actor() -> None:
    async with opened() as scene:
        before = scene.roster.children["one"]
        succession = await scene.follow(replace(ONE, models=("m",)), TWO)
        assert succession.children["one"] is before
        assert succession.retired == ()


@pytest.mark.parametrize(
    "changed",
    [
        replace(ONE, max_requests=7),
        replace(ONE, max_pending=7),
        replace(ONE, wait_s=7.0),
        replace(ONE, breaker=replace(ONE.breaker, consecutive_failures=7)),
        replace(ONE, adaptive_limit=True),
    ],
)
async def test_new_limits_are_told_to_the_running_actor(changed: Provider) -> None:
    async with opened() as scene:
        before = scene.roster.children["one"]
        for _ in range(2):
            succession = await scene.follow(changed, TWO)
            await trio.testing.wait_all_tasks_blocked()
            assert succession.children["one"] is before
            assert before.spec == upstream.spec_of(changed)


@pytest.mark.parametrize(
    "changed",
    [
        replace(ONE, base_url="http://other.test"),
        replace(ONE, api_keys=(Secret("k"),)),
        replace(ONE, dialect="openai-chat"),
    ],
)
async def test_what_makes_another_upstream_of_it_gets_an_actor_beside_the_old_one(changed: Provider) -> None:
    async with opened() as scene:
        before = scene.roster.children["one"]
        succession = await scene.follow(changed, TWO)
        assert scene.names == ["one", "two", "one@2"]
        assert succession.retired == (before,)
        assert succession.children["one"].name == "one@2"
        with await before.admit("r", deadline=trio.current_time() + 1):
            assert before.status.in_flight == 1
            assert scene.board["one"].status.in_flight == 0
        await scene.roster.retire(succession.retired)
        assert list(scene.board) == ["one", "two"]
        with await succession.children["one"].admit("r", deadline=trio.current_time() + 1):
            assert scene.board["one"].status.in_flight == 1


async def test_a_provider_that_is_removed_leaves_the_board_at_once_and_can_still_finish() -> None:
    async with opened() as scene:
        succession = await scene.follow(TWO)
        assert list(scene.board) == ["two"]
        (gone,) = succession.retired
        with await gone.admit("r", deadline=trio.current_time() + 1):
            pass
        await scene.roster.retire(succession.retired)
        assert (await scene.follow(ONE, TWO)).children["one"].name == "one@2"


async def test_when_one_cannot_be_started_nothing_has_changed() -> None:
    async with opened() as scene:
        before = dict(scene.roster.children)
        with pytest.raises(Unstartable):
            await scene.follow(
                replace(ONE, base_url="http://good.test"), replace(TWO, base_url="http://broken.test")
            )
        assert dict(scene.roster.children) == before
        with await before["one"].admit("r", deadline=trio.current_time() + 1):
            assert scene.board["one"].status.in_flight == 1


def test_a_place_shows_the_board_its_own_entry_only() -> None:
    board: Board = {}
    place = Place(board, "one")
    assert (len(place), list(place)) == (0, [])
    place.leave()
    assert board == {}
