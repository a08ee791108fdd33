"""A real Redis behind the cache: shared by machines, full, killed and silent under load; and a file that outlives."""

import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from actors import RealNetwork, RedisAddress, RedisBacking, RedisSpec, open_supervisor
from tests.world import answers
from tests.world.process import LOOPBACK, RouterProcess, serving, started
from tests.world.redis_server import redis_server
from ucr.stress.upstream import Answer, SeenRequest, Upstream

pytestmark = pytest.mark.slow
LIMIT_S = 110.0

needs_redis = pytest.mark.needs("redis")

CONFIG = """
[[providers]]
id = "up"
dialect = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"
auth = "none"
default_model = "up-model"
[router]
default = "up"
[cache]
scope = "{scope}"
{cache}
"""
SHARED = 'backend = "redis"\nurl = "{url}"\nsecret = "a-secret-of-all-the-machines"'


class Echo:
    """An upstream whose answer is what it was asked; `asked` counts how often."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.upstream = Upstream(self._answer)

    async def _answer(self, request: SeenRequest, answer: Answer) -> None:
        words = json.loads(request.body)["messages"][-1]["content"]
        self.asked[words] += 1
        await answers.says(200, answers.chat_reply(f"answer to {words}"))(request, answer)


class Machine:
    """A router with two workers."""

    def __init__(self, router: RouterProcess, port: int) -> None:
        self.router = router
        self.base_url = f"http://{LOOPBACK}:{port}"

    async def ask(self, words: str) -> str:
        """Ask on a connection of its own, and see that the answer is right; return what the cache had to do with it."""
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": words}]}
        async with httpx.AsyncClient(timeout=20, trust_env=False, verify=False) as client:
            answer = await client.post(f"{self.base_url}/v1/messages", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["content"][0]["text"] == f"answer to {words}"
        return str(answer.headers["x-ucr-cache"])

    async def admin(self, method: str, path: str) -> Any:
        async with httpx.AsyncClient(timeout=20, trust_env=False, verify=False) as client:
            return (await client.request(method, self.base_url + path)).json()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - other processes have no event to wait for
            await trio.sleep(0.02)

    def told(self, event: str) -> int:
        return bytes(self.router.stdout).count(f'"{event}"'.encode())


@asynccontextmanager
async def machine(folder: Path, port: int, cache: str, scope: str = "node") -> AsyncIterator[Machine]:
    """Run a router; at the end it must leave well."""
    await trio.Path(folder).mkdir(exist_ok=True)
    config = folder / "ucr.toml"
    config.write_text(CONFIG.format(port=port, cache=cache, scope=scope), "utf-8")
    arguments = ("serve", "--config", str(config), "--port", "0", "--workers", "2")
    async with started(folder, *arguments) as router:
        found = Machine(router, await router.wait_port())
        if 'backend = "redis"' in cache:
            await found.until(lambda: found.told("cache.connected") >= (1 if scope == "node" else 2))
        yield found
        router.terminate()
        assert await router.process.wait() == 0, router.stderr.decode()
    assert b"Traceback" not in bytes(router.stdout + router.stderr), router.stderr.decode()
    assert b"crashed" not in bytes(router.stdout), router.stdout.decode()


async def load(up: Machine, count: int, event: Callable[[int], Any]) -> Counter[str]:
    """Ask `count` times, ten at once, and let something happen at each tenth of it."""
    found: Counter[str] = Counter()
    for turn in range(10):
        await event(turn)
        async with trio.open_nursery() as nursery:

            async def visit(number: int) -> None:
                found[await up.ask(f"question {number % 7}")] += 1

            for number in range(count // 10):
                nursery.start_soon(visit, number)
    return found


@needs_redis
async def test_two_machines_share_answers_and_forget_them_together(tmp_path: Path) -> None:
    echo = Echo()
    with trio.fail_after(LIMIT_S):
        async with redis_server(tmp_path) as redis, serving(echo.upstream) as port:
            shared = SHARED.format(url=redis.url)
            async with (
                machine(tmp_path / "one", port, shared) as one,
                machine(tmp_path / "two", port, shared) as two,
            ):
                words = await found_elsewhere(one, two)
                assert echo.asked[words] == 1
                assert (await two.admin("DELETE", "/cache"))["cleared"] > 0
                await until_forgotten(one)
                assert await two.ask(words) == "miss"
                assert echo.asked[words] == 2


async def found_elsewhere(one: Machine, two: Machine) -> str:
    """Return a question that one machine has asked and another one knew the answer to.

    A look-up that the machine is too slow for is a miss, so that there are many.
    """
    for number in range(100):
        words = f"question {number}"
        before = await stored_in(one)
        await one.ask(words)
        while await stored_in(one) == before and await one.ask(words) == "miss":
            pass
        if await two.ask(words) == "hit":
            return words
    raise AssertionError("no answer was shared")


async def until_forgotten(up: Machine) -> None:
    """Wait until nothing is in any memory of a machine."""
    while True:
        stats = await up.admin("GET", "/cache/stats")
        if stats["l1"].get("entries", 0) == stats["l2"].get("entries", 0) == 0:
            return
        await trio.sleep(0.02)


async def stored_in(up: Machine) -> int:
    """Return how many answers the backing of a machine has stored, wherever the page says it."""

    def found(stats: dict[str, Any]) -> int:
        if "backing" in stats:
            return int(stats["backing"]["stored"])
        return max((found(value) for value in stats.values() if isinstance(value, dict)), default=0)

    return found(await up.admin("GET", "/cache/stats"))


@needs_redis
@pytest.mark.parametrize("scope", ["node", "worker"])
async def test_a_server_that_dies_or_falls_silent_under_load_loses_nothing(tmp_path: Path, scope: str) -> None:
    echo = Echo()
    with trio.fail_after(LIMIT_S):
        async with redis_server(tmp_path) as redis, serving(echo.upstream) as port:

            async def trouble(turn: int) -> None:
                match turn:
                    case 2:
                        redis.freeze()
                    case 4:
                        redis.thaw()
                    case 5:
                        await redis.kill()
                    case 7:
                        await redis.start()

            async with machine(tmp_path / "one", port, SHARED.format(url=redis.url), scope) as one:
                found = await load(one, 120, trouble)
                assert found.total() == 120
                assert set(found) <= {"miss", "hit", "coalesced"}
                sessions = one.told("cache.connected")
                await redis.kill()
                await one.until(lambda: one.told("cache.lost") >= 1)
                assert await one.ask("without a server") == "miss"
                await redis.start()
                await one.until(lambda: one.told("cache.connected") > sessions)


@needs_redis
async def test_a_full_server_is_a_miss_and_is_counted(tmp_path: Path) -> None:
    async with (
        redis_server(tmp_path, "--maxmemory", "1mb", "--maxmemory-policy", "noeviction") as redis,
        backing(redis.url) as kept,
    ):
        for number in range(10):
            await kept.put(bytes([number]) * 32, b"x" * 1_000_000, 60.0, ())
        numbers = kept.statistics()
        assert numbers["refused"] > 0
        assert numbers["unstored"] > 0
        assert numbers["connected"] == 1


@needs_redis
async def test_what_is_kept_is_found_by_tag_and_expires_in_a_real_server() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with redis_server(Path(folder), "--requirepass", "let me in") as redis:
            for url in (
                f"redis://:let%20me%20in@{LOOPBACK}:{redis.port}/3",
                f"unix://:let%20me%20in@{redis.path}?db=3",
            ):
                async with backing(url) as kept:
                    for number in range(1200):
                        tags = ("odd" if number % 2 else "even",)
                        await kept.put(number.to_bytes(32, "big"), b"entry", 60.0, tags)
                    assert await kept.get((7).to_bytes(32, "big")) is not None
                    assert await kept.clear("odd") == 600
                    assert await kept.get((7).to_bytes(32, "big")) is None
                    assert await kept.get((8).to_bytes(32, "big")) is not None
                    assert await kept.clear(None) == 600
                    await kept.put(b"k" * 32, b"entry", 0.05, ())
                    with trio.fail_after(10):
                        while await kept.get(b"k" * 32) is not None:  # noqa: ASYNC110 - a real server's time
                            await trio.sleep(0.01)


@asynccontextmanager
async def backing(url: str) -> AsyncIterator[RedisBacking]:
    """Run a backing that is given time enough by a slow machine."""
    connected = trio.Event()
    spec = replace(RedisSpec(RedisAddress.of(url), b"s" * 32), answer_s=5.0, write_s=5.0, connect_s=20.0)
    made = RedisBacking(
        spec,
        RealNetwork(),
        trio.current_time,
        on_event=lambda event: connected.set() if not event.error else None,
    )
    async with open_supervisor() as supervisor:
        await supervisor.start(made)
        with trio.fail_after(20):
            await connected.wait()
        yield made


async def test_answers_outlive_a_restart_in_a_file(tmp_path: Path) -> None:
    echo = Echo()
    questions = [f"question {number}" for number in range(10)]
    with trio.fail_after(LIMIT_S):
        async with serving(echo.upstream) as port:
            kept = f'path = "{tmp_path / "answers.sqlite"}"\nttl_s = 3600'
            async with machine(tmp_path / "one", port, kept) as one:
                assert [await one.ask(words) for words in questions] == ["miss"] * 10
            async with machine(tmp_path / "one", port, kept) as one:
                found = [await one.ask(words) for words in questions]
                assert "hit" in found
                assert echo.asked.total() == 10 + found.count("miss")
                assert (await one.admin("DELETE", "/cache"))["cleared"] == 10
            async with machine(tmp_path / "one", port, kept) as one:
                assert [await one.ask(words) for words in questions] == ["miss"] * 10
