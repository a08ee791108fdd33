"""Several workers and their store as real processes: limits that hold for all, one cache, a store that is killed."""

import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from actors.lending import chunk
from tests.world import answers
from tests.world.process import LIMIT_S, LOOPBACK, RouterProcess, serving, started
from ucr.stress.upstream import Answer, SeenRequest, Upstream

pytestmark = pytest.mark.slow

WORKERS = 3
LIMIT = 40
CONFIG = f"""
[[providers]]
id = "up"
dialect = "openai-chat"
base_url = "http://127.0.0.1:{{port}}/v1"
auth = "none"
default_model = "up-model"
max_requests = 6
[router]
default = "up"
[[clients]]
name = "limited"
key = "key-limited"
rpm = {LIMIT}
[[clients]]
name = "free"
key = "key-free"
[admin]
key = "key-admin"
"""


def caller() -> httpx.AsyncClient:
    """Return a client of one connection. It reads no certificates, which would take longer than all that it asks."""
    return httpx.AsyncClient(timeout=LIMIT_S, trust_env=False, verify=False)


class Site:
    """A router with three workers in front of an upstream."""

    def __init__(self, router: RouterProcess, port: int) -> None:
        self.router = router
        self.base_url = f"http://{LOOPBACK}:{port}"

    async def ask(self, words: str, key: str = "key-free") -> httpx.Response:
        """Ask on a connection of its own, so that any worker may take it."""
        async with caller() as client:
            return await self.ask_by(client, words, key)

    async def ask_by(self, client: httpx.AsyncClient, words: str, key: str = "key-free") -> httpx.Response:
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": words}]}
        return await client.post(f"{self.base_url}/v1/messages", json=body, headers={"x-api-key": key})

    @asynccontextmanager
    async def spread(self, count: int) -> AsyncIterator[list[httpx.AsyncClient]]:
        """Yield so many callers, each with an open connection, which are not all to one worker.

        Who takes a connection is the kernel's choice, and may be the same worker each time.
        """
        async with AsyncExitStack() as stack:
            callers = [await stack.enter_async_context(caller()) for _ in range(count)]
            taken: set[str] = set()

            async def connect(number: int) -> None:
                answer = await self.ask_by(callers[number], f"greeting {number}")
                taken.add(answer.headers["x-ucr-worker"])

            while len(taken) < 2:
                await callers[0].aclose()
                callers[0] = await stack.enter_async_context(caller())
                async with trio.open_nursery() as nursery:
                    for number in range(count):
                        nursery.start_soon(connect, number)
            yield callers

    async def admin(self, path: str) -> Any:
        async with caller() as client:
            return (await client.get(self.base_url + path, headers={"x-api-key": "key-admin"})).json()

    def events(self, name: str) -> list[dict[str, Any]]:
        whole = [line for line in bytes(self.router.stdout).splitlines(keepends=True) if line.endswith(b"\n")]
        return [line for line in map(json.loads, whole) if line["event"] == name]

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - other processes have no event to wait for
            await trio.sleep(0.02)


@asynccontextmanager
async def site(folder: Path, upstream: Upstream) -> AsyncIterator[Site]:
    with trio.fail_after(LIMIT_S):
        async with serving(upstream) as upstream_port:
            config = folder / "ucr.toml"
            config.write_text(CONFIG.format(port=upstream_port), "utf-8")
            arguments = ("serve", "--config", str(config), "--port", "0", "--workers", str(WORKERS))
            async with started(folder, *arguments) as router:
                found = Site(router, await router.wait_port())
                await found.until(lambda: len(found.events("store.connected")) == 3)
                yield found
                router.terminate()
                assert await router.process.wait() == 0, router.stderr.decode()
            assert b"Traceback" not in bytes(router.stdout + router.stderr)
            left = folder.glob(".local/state/ucr/*")  # noqa: ASYNC240 - a look at a small folder
            assert sorted(path.name for path in left) == ["journal.sqlite3", "usage.sqlite3"]


async def test_the_limit_of_a_client_holds_over_all_workers(tmp_path: Path) -> None:
    async with site(tmp_path, Upstream(answers.says(200, answers.chat_reply()))) as up:
        found: list[httpx.Response] = []

        async def visit(client: httpx.AsyncClient, number: int) -> None:
            for turn in range(10):
                found.append(await up.ask_by(client, f"{number} {turn}", "key-limited"))  # noqa: PERF401

        async with up.spread(9) as clients, trio.open_nursery() as nursery:
            for number, client in enumerate(clients):
                nursery.start_soon(visit, client, number)
        statuses = Counter(answer.status_code for answer in found)
        # What a worker has borrowed beyond its need it keeps for a second, and the last requests may go to the others.
        kept = chunk(0, LIMIT, LIMIT, WORKERS)
        assert LIMIT - kept * (WORKERS - 1) <= statuses[200] <= LIMIT + 2
        assert statuses[200] + statuses[429] == 90, [a.text for a in found if a.status_code not in (200, 429)]
        assert len({answer.headers["x-ucr-worker"] for answer in found if answer.status_code == 200}) > 1
        assert (await up.ask("other", "key-free")).status_code == 200


async def test_all_workers_together_send_a_provider_no_more_than_it_may_have(tmp_path: Path) -> None:
    running = most = 0
    are_many = trio.Event()

    async def slow(request: SeenRequest, answer: Answer) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running >= 5:
            are_many.set()
        await are_many.wait()
        await trio.sleep(0.1)
        running -= 1
        await answers.says(200, answers.chat_reply())(request, answer)

    async with site(tmp_path, Upstream(slow)) as up:
        statuses: list[int] = []

        async def visit(number: int) -> None:
            statuses.append((await up.ask(str(number))).status_code)

        async with trio.open_nursery() as nursery:
            for number in range(60):
                nursery.start_soon(visit, number)
        assert statuses == [200] * 60
        assert 5 <= most <= 6


async def test_a_killed_store_costs_cache_misses_and_nothing_else(tmp_path: Path) -> None:
    async with site(tmp_path, Upstream(answers.says(200, answers.chat_reply()))) as up:
        caches = [(await up.ask("the same")).headers["x-ucr-cache"] for _ in range(6)]
        assert caches == ["miss", "hit", "hit", "hit", "hit", "hit"]
        for number in range(30):
            assert (await up.ask(f"before {number}", "key-limited")).status_code == 200
        os.kill((await up.admin("/admin/tree"))["store"]["pid"], signal.SIGKILL)
        for number in range(20):
            assert (await up.ask(f"while {number}")).status_code == 200
        await up.until(lambda: len(up.events("store.connected")) == 6)
        assert len(up.events("store.lost")) == 3
        assert len(up.events("store.exited")) == 1
        store = (await up.admin("/admin/tree"))["store"]
        assert (store["generation"], [child["state"] for child in store["children"]]) == (2, ["running"] * 5)
        assert [(await up.ask("another")).headers["x-ucr-cache"] for _ in range(2)] == ["miss", "hit"]
        stats = await up.admin("/cache/stats")
        assert (stats["scope"], stats["l2"]["hits"]) == ("node", 1)
        later = Counter([(await up.ask(f"after {number}", "key-limited")).status_code for number in range(30)])
        assert 8 <= later[200] <= 12


async def test_a_hundred_alike_over_all_workers_make_one_call(tmp_path: Path) -> None:
    go_on = trio.Event()
    calls = 0

    async def hold(request: SeenRequest, answer: Answer) -> None:
        nonlocal calls
        if b"the same" in request.body:
            calls += 1
            await go_on.wait()
        await answers.says(200, answers.chat_reply())(request, answer)

    async with site(tmp_path, Upstream(hold)) as up:
        found: list[httpx.Response] = []

        async def visit(client: httpx.AsyncClient) -> None:
            found.append(await up.ask_by(client, "the same"))

        async with up.spread(100) as clients, trio.open_nursery() as nursery:
            for client in clients:
                nursery.start_soon(visit, client)
            while await open_requests(up) < 100:  # noqa: ASYNC110 - other processes have no event to wait for
                await trio.sleep(0.02)
            go_on.set()
        assert calls == 1
        caches = Counter(answer.headers["x-ucr-cache"] for answer in found)
        assert caches["miss"] == 1
        assert caches["coalesced"] > 1
        # Who was taken in and had not yet looked when the answer came found it.
        assert caches["coalesced"] + caches["hit"] == 99
        assert len({answer.content for answer in found}) == 1
        assert len({answer.headers["x-ucr-worker"] for answer in found}) > 1


async def open_requests(up: Site) -> int:
    """Return how many requests all workers have in hand, but for the one that asks this."""
    return sum(worker["open_requests"] for worker in (await up.admin("/admin/tree"))["workers"]) - 1
