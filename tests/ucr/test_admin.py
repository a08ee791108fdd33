from typing import Any

import pytest

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.access import digest
from ucr.admin import PAGES
from ucr.config.model import Cache

ASK = {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
CONFIG = config_of(provider("up", "anthropic", models=("claude-x",)), cache=Cache())
REPLY = answers.says(200, answers.anthropic_reply())


@pytest.mark.parametrize(("method", "path"), PAGES)
async def test_admin_routes_want_the_admin_key(method: str, path: str, autojump_clock: object) -> None:
    locked = config_of(provider("up", "anthropic"), admin_key_sha256=digest("admin-key"))
    async with open_router(locked, up=REPLY) as world:
        refused = await world.ask(path, method=method)
        heard = await world.ask(path, method=method, headers={"x-api-key": "admin-key"})
    assert refused.status == 401
    assert heard.status == {"/admin/reload": 409, "/ws/events": 426}.get(path, 200)


async def test_the_tree_names_every_actor(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world:
        await world.ask("/v1/messages", ASK)
        heard = await world.ask("/admin/tree", method="GET")
    (worker,) = heard.json()["workers"]
    by_name = {child["name"]: child for child in worker["children"]}
    assert {"ucr:metrics", "ucr:cache", "up"} <= by_name.keys()
    assert by_name["ucr:cache"]["mailbox"]["answered"] == 1
    assert by_name["up"]["statistics"]["granted"] == 1
    assert worker["open_requests"] == 1


async def test_the_metrics_count_what_was_asked(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world:
        await world.ask("/v1/messages", ASK)
        await world.ask("/v1/messages", ASK)
        heard = await world.ask("/metrics", method="GET")
    lines = heard.body.decode().splitlines()
    assert heard.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    for cache in ("miss", "hit"):
        labels = f'cache="{cache}"'
        (line,) = (line for line in lines if line.startswith("ucr_requests_total{") and labels in line)
        assert 'provider="up",model="claude-x",dialect="anthropic",status="200"' in line
        assert line.endswith(" 1")
    assert 'ucr_leases_granted_total{provider="up"} 1' in lines
    assert 'ucr_cache_lookups_total{result="hit"} 1' in lines


async def test_the_cache_can_be_looked_at_and_cleared(autojump_clock: object) -> None:
    async def stats(world: Any) -> Any:
        return (await world.ask("/cache/stats", method="GET")).json()

    async with open_router(CONFIG, up=REPLY) as world:
        await world.ask("/v1/messages", ASK)
        before = await stats(world)
        cleared = await world.ask("/cache", method="DELETE")
        after = await stats(world)
        again = await world.ask("/v1/messages", ASK)
    assert (before["enabled"], before["entries"], before["misses"]) == (True, 1, 1)
    assert before["l1"]["misses"] == 1
    assert cleared.json() == {"cleared": 1}
    assert after["entries"] == 0
    assert again.headers["x-ucr-cache"] == "miss"


@pytest.mark.parametrize(
    ("query", "cleared", "found"),
    [
        ("?model=claude-x", 1, ["miss", "hit"]),
        ("?model=other", 1, ["hit", "miss"]),
        ("?provider=up", 2, ["miss", "miss"]),
        ("?provider=up&model=other", 1, ["hit", "miss"]),
        ("?provider=nobody", 0, ["hit", "hit"]),
        ("?model=nobody", 0, ["hit", "hit"]),
    ],
)
async def test_the_cache_can_be_cleared_of_a_model_or_a_provider(
    query: str, cleared: int, found: list[str], autojump_clock: object
) -> None:
    asks = [ASK, {**ASK, "model": "other"}]
    async with open_router(CONFIG, up=REPLY) as world:
        for _ in range(3):
            for ask in asks:
                await world.ask("/v1/messages", ask)
        assert world.worker.tree.hot.statistics().entries == 2
        heard = await world.ask(f"/cache{query}", method="DELETE")
        last = [await world.ask("/v1/messages", ask) for ask in asks]
    assert heard.json() == {"cleared": cleared}
    assert [one.headers["x-ucr-cache"] for one in last] == found


@pytest.mark.parametrize("query", ["?models=claude-x", "?model=", "?provider=up&tag=x"])
async def test_a_query_that_names_nothing_clears_nothing(query: str, autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world:
        await world.ask("/v1/messages", ASK)
        heard = await world.ask(f"/cache{query}", method="DELETE")
        last = await world.ask("/v1/messages", ASK)
    assert heard.status == 400
    assert "use ?model=NAME, ?provider=ID, or both" in heard.json()["error"]["message"]
    assert last.headers["x-ucr-cache"] == "hit"
