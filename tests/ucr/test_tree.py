import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import trio
from trio.testing import MockClock

from actors import ActorStopped
from tests.world.network import MemoryNetwork
from ucr.config.model import Config, Provider, Server
from ucr.logs import make_log
from ucr.tree import open_tree

CONFIG = Config(
    server=Server(grace_s=2.0),
    providers=(
        Provider("one", "anthropic", "http://one.test", max_requests=3),
        Provider("off", "anthropic", "http://off.test", enabled=False),
        Provider("two", "openai-chat", "http://two.test/v1"),
    ),
)


@dataclass(frozen=True, slots=True)
class Unheard:
    """A message that the provider's actor does not know, and so crashes at."""


class Lines:
    """A log, and what was written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        moment = datetime(2026, 11, 25, tzinfo=UTC)
        self.log = make_log("info", (), (self.written.append,), lambda: moment)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.written]


async def test_each_enabled_provider_has_a_child_that_admits(autojump_clock: MockClock) -> None:
    async with open_tree(CONFIG, MemoryNetwork(), Lines().log) as tree:
        assert list(tree.children) == ["one", "two"]
        assert tree.children["one"].spec.max_requests == 3
        with await tree.children["one"].admit("r1", deadline=trio.current_time() + 1):
            assert tree.board["one"].in_flight == 1
        assert tree.board["two"].state == "serving"


async def test_children_admit_nobody_after_the_tree_has_closed(autojump_clock: MockClock) -> None:
    async with open_tree(CONFIG, MemoryNetwork(), Lines().log) as tree:
        pass
    assert tree.board == {}
    with pytest.raises(ActorStopped):
        await tree.children["one"].admit("r1", deadline=trio.current_time() + 1)


async def test_a_crash_is_logged_by_name_and_the_child_comes_back(autojump_clock: MockClock) -> None:
    lines = Lines()
    async with open_tree(CONFIG, MemoryNetwork(), lines.log) as tree:
        tree.children["one"].ref.tell(Unheard())  # type: ignore[arg-type]
        await trio.sleep(1)
        with await tree.children["one"].admit("r1", deadline=trio.current_time() + 1):
            pass
    crashed, restarted = lines.events()
    assert (crashed["event"], crashed["level"], crashed["actor"]) == ("actor.crashed", "warning", "one")
    assert "Unheard" in str(crashed["error"])
    assert (restarted["event"], restarted["actor"]) == ("actor.restarted", "one")
