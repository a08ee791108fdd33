from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionRejected

from tests.world import answers
from tests.world.router import EPOCH, World, config_of, open_router, provider
from tests.world.websocket import open_feed
from ucr.access import digest
from ucr.ui.assets import POLICY, Assets
from ucr.ui.dashboard import ROUTES
from ucr.ui.session import IDLE_S, RENEWED_S

pytestmark = pytest.mark.usefixtures("both_lanes")

ASK = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
OPEN = config_of(provider("up", "anthropic"))
LOCKED = config_of(provider("up", "anthropic"), admin_key_sha256=digest("admin-key"))
REPLY = answers.says(200, answers.anthropic_reply())
PAGE = {"x-ucr-ui": "1"}
HOME = {"origin": "http://127.0.0.1:3000"}
SESSION_PATHS = [path for method, path, guard in ROUTES if guard == "session"]
DATA_PATHS = [path for path in SESSION_PATHS if path != "/ui/events"]
UNIX_S = EPOCH.timestamp()


async def get(world: World, path: str, headers: Mapping[str, str] = {}) -> Any:
    return await world.ask(path, method="GET", headers=headers)


async def signed_in(world: World, headers: Mapping[str, str] = {}) -> dict[str, str]:
    """Show the key; return what the page sends from then on."""
    heard = await world.ask("/ui/session", headers={"x-api-key": "admin-key", **headers})
    assert heard.status == 200
    return {**PAGE, "cookie": heard.headers["set-cookie"].partition(";")[0]}


async def refusal(world: World, headers: Mapping[str, str]) -> int:
    refused: list[int] = []
    try:
        async with open_feed(world, headers, "/ui/events"):
            pass
    except* ConnectionRejected as group:
        refused += [error.status_code for error in group.exceptions if isinstance(error, ConnectionRejected)]
    return refused[0]


async def test_the_page_and_its_files_are_served(autojump_clock: object) -> None:
    async with open_router(OPEN, up=REPLY) as world:
        page = await get(world, "/ui")
        script = await get(world, f"/ui/{Assets().digest}/app.js")
        copy = await get(world, "/ui", {"if-none-match": page.headers["etag"]})
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"] == POLICY
    assert (script.status, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert (copy.status, copy.body) == (304, b"")


@pytest.mark.parametrize("path", ["/ui/", "/ui/app.js", "/ui/../ucr/cli.py", "/ui/0/app.js", "/ui/statex"])
async def test_nothing_else_is_below(path: str, autojump_clock: object) -> None:
    async with open_router(OPEN, up=REPLY) as world:
        assert (await get(world, path)).status == 404


async def test_without_a_key_this_machine_sees_everything(autojump_clock: object) -> None:
    async with open_router(OPEN, up=REPLY) as world:
        await world.ask("/v1/messages", ASK)
        heard = await get(world, "/ui/state")
    told = heard.json()
    assert (told["providers"][0]["id"], told["providers"][0]["breaker"]) == ("up", "closed")
    assert (told["is_locked"], told["totals"]["requests"]["total"]) == (False, 1)
    assert heard.headers["cache-control"] == "no-store"
    assert "set-cookie" not in heard.headers


@pytest.mark.parametrize("path", ["/ui", *DATA_PATHS])
async def test_without_a_key_nobody_else_sees_anything(path: str, autojump_clock: object) -> None:
    async with open_router(OPEN, up=REPLY) as world:
        proxied = await get(world, path, {"x-forwarded-for": "10.0.0.1"})
        foreign = await get(world, path, {"origin": "http://evil.test"})
        rebound = await get(world, path, {"host": "evil.test"})
    assert [proxied.status, foreign.status, rebound.status] == [403, 403, 403]


@pytest.mark.parametrize("path", ["/ui", *DATA_PATHS])
async def test_it_is_off_for_all_addresses_until_there_is_a_key(path: str, autojump_clock: object) -> None:
    everywhere = replace(OPEN, server=replace(OPEN.server, host="0.0.0.0"))
    async with open_router(everywhere, up=REPLY) as world:
        heard = await get(world, path)
        assert await refusal(world, HOME) == 403
    assert heard.status == 403
    assert "set admin.key" in heard.json()["error"]["message"]
    opened = replace(everywhere, admin_key_sha256=digest("admin-key"))
    async with open_router(opened, up=REPLY) as world:
        assert (await get(world, path)).status == (200 if path == "/ui" else 401)


async def test_a_key_is_shown_once_and_a_cookie_goes_on(autojump_clock: object) -> None:
    async with open_router(LOCKED, up=REPLY) as world:
        assert (await get(world, "/ui")).status == 200
        assert [(await get(world, path, PAGE)).status for path in DATA_PATHS] == [401] * 4
        wrong = await world.ask("/ui/session", headers={"x-api-key": "other"})
        session = await signed_in(world)
        assert [(await get(world, path, session)).status for path in DATA_PATHS] == [200] * 4
        async with open_feed(world, {**session, **HOME}, "/ui/events") as feed:
            assert (await feed.next())["event"] == "statistics"
    assert (wrong.status, "set-cookie" in wrong.headers) == (401, False)


async def test_the_key_itself_opens_it_as_well(autojump_clock: object) -> None:
    async with open_router(LOCKED, up=REPLY) as world:
        heard = await get(world, "/ui/state", {"authorization": "Bearer admin-key"})
        async with open_feed(world, {"x-api-key": "admin-key"}, "/ui/events") as feed:
            assert (await feed.next())["event"] == "statistics"
    assert heard.status == 200


async def test_a_cookie_opens_nothing_but_the_dashboard(autojump_clock: object) -> None:
    asked = [("GET", "/v1/providers"), ("GET", "/admin/tree"), ("POST", "/admin/reload"), ("DELETE", "/cache")]
    async with open_router(LOCKED, up=REPLY) as world:
        session = await signed_in(world)
        statuses = [(await world.ask(path, method=method, headers=session)).status for method, path in asked]
        with pytest.raises(ExceptionGroup):
            async with open_feed(world, {**session, **HOME}):
                pass
    assert statuses == [401] * 4


async def test_a_cookie_without_what_the_page_sends_opens_nothing(autojump_clock: object) -> None:
    async with open_router(LOCKED, up=REPLY) as world:
        cookie = {"cookie": (await signed_in(world))["cookie"]}
        assert [(await get(world, path, cookie)).status for path in DATA_PATHS] == [401] * 4
        assert await refusal(world, cookie) == 401
        assert await refusal(world, {**cookie, "origin": "http://127.0.0.1:4000"}) == 403


async def test_another_admin_key_ends_all_sessions(autojump_clock: object) -> None:
    async with open_router(LOCKED, up=REPLY) as world:
        session = await signed_in(world)
        await world.worker.follow(replace(LOCKED, admin_key_sha256=digest("another")))
        assert (await get(world, "/ui/state", session)).status == 401


async def test_a_session_is_renewed_by_use_and_ends_without(autojump_clock: object) -> None:
    now = [UNIX_S]
    async with open_router(LOCKED, unix_time=lambda: now[0], up=REPLY) as world:
        session = await signed_in(world)
        assert "set-cookie" not in (await get(world, "/ui/state", session)).headers
        now[0] += RENEWED_S
        heard = await get(world, "/ui/state", session)
        renewed = {**session, "cookie": heard.headers["set-cookie"].partition(";")[0]}
        now[0] += IDLE_S - 1
        statuses = [(await get(world, "/ui/state", one)).status for one in (session, renewed)]
    assert statuses == [401, 200]


async def test_signing_out_takes_the_cookie_away(autojump_clock: object) -> None:
    async with open_router(LOCKED, up=REPLY) as world:
        heard = await world.ask("/ui/session", method="DELETE", headers=PAGE)
    assert heard.headers["set-cookie"].startswith("ucr_session=; Max-Age=0;")


async def test_over_https_the_cookie_stays_there(autojump_clock: object) -> None:
    open_hosts = replace(LOCKED, server=replace(LOCKED.server, allowed_hosts=("ucr.test",)))
    async with open_router(open_hosts, up=REPLY) as world:
        headers = {"x-api-key": "admin-key", "host": "ucr.test", "origin": "https://ucr.test"}
        heard = await world.ask("/ui/session", headers=headers)
    assert heard.headers["set-cookie"].endswith("; Secure")


async def test_another_site_cannot_sign_anybody_in(autojump_clock: object) -> None:
    async with open_router(LOCKED, up=REPLY) as world:
        headers = {"x-api-key": "admin-key", "origin": "http://evil.test"}
        heard = await world.ask("/ui/session", headers=headers)
    assert (heard.status, "set-cookie" in heard.headers) == (403, False)


async def test_too_many_wrong_keys_are_told_to_wait(autojump_clock: object) -> None:
    async with open_router(LOCKED, up=REPLY) as world:
        statuses = [(await world.ask("/ui/session", headers={"x-api-key": "x"})).status for _ in range(31)]
    assert statuses == [401] * 30 + [429]


async def test_requests_and_their_reasons_come_from_the_journal(autojump_clock: object, tmp_path: Path) -> None:
    async with open_router(OPEN, folder=tmp_path, unix_time=lambda: UNIX_S, up=REPLY) as world:
        heard = await world.ask("/v1/messages", {**ASK, "model": "<img src=x onerror=alert(1)>"})
        await trio.sleep(5)
        latest = (await get(world, "/ui/requests")).json()["requests"]
        one = (await get(world, f"/ui/request?id={heard.headers['request-id']}")).json()["request"]
        none = (await get(world, "/ui/request?id=req_none")).json()["request"]
        history = (await get(world, "/ui/history?minutes=5")).json()["history"]
        errors = (await get(world, "/ui/requests?errors=1")).json()["requests"]
    assert latest == [one]
    assert (one["model_asked"], one["provider"]) == ("<img src=x onerror=alert(1)>", "up")
    assert one["considered"] == ["up/up-model (default, optimal)"]
    assert none is None
    assert sum(history["requests"]) * history["width_s"] == pytest.approx(1)
    assert errors == []


async def test_without_a_journal_there_is_no_past(autojump_clock: object) -> None:
    async with open_router(OPEN, up=REPLY) as world:
        assert (await get(world, "/ui/requests")).json() == {"requests": None}
        assert (await get(world, "/ui/history")).json() == {"history": None}


@pytest.mark.parametrize(
    "query", ["requests?count=0", "requests?count=999", "history?minutes=x", "history?minutes=1e3"]
)
async def test_numbers_have_their_bounds(query: str, autojump_clock: object) -> None:
    async with open_router(OPEN, up=REPLY) as world:
        heard = await get(world, f"/ui/{query}")
    assert heard.status == 400
    assert "must be a whole number from 1 to" in heard.json()["error"]["message"]


async def test_the_feed_wants_a_websocket(autojump_clock: object) -> None:
    async with open_router(OPEN, up=REPLY) as world:
        heard = await get(world, "/ui/events")
    assert (heard.status, heard.headers["upgrade"]) == (426, "websocket")
