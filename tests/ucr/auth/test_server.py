import pytest
import trio

from tests.world import answers
from tests.world.signing import open_servers
from ucr.auth.server import NoAnswer, answer_of

URL = "http://tokens.test/token"


async def test_a_form_is_sent_and_the_answer_returned_whatever_its_status() -> None:
    async with open_servers(answers.says(400, {"error": "x"})) as servers:
        status, body = await answer_of(servers.network, "POST", URL, {"a": "b c"}, {"x-one": "1"})
    (seen,) = servers.tokens.requests
    assert (status, body) == (400, b'{"error": "x"}')
    assert (seen.method, seen.path, seen.body) == ("POST", "/token", b"a=b+c")
    assert (seen.header("accept"), seen.header("x-one")) == ("application/json", "1")


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_that_fails_blames_nobody_else(status: int) -> None:
    async with open_servers(answers.says(status, {})) as servers:
        with pytest.raises(NoAnswer, match=str(status)):
            await answer_of(servers.network, "POST", URL, {})


async def test_an_answer_is_waited_for_and_read_within_bounds(autojump_clock: object) -> None:
    async with open_servers(answers.never(), answers.says(200, b"x" * 70_000)) as servers:
        with pytest.raises(NoAnswer, match="ReadTimeout"):
            await answer_of(servers.network, "GET", URL)
        with pytest.raises(NoAnswer, match="RemoteProtocolError"):
            await answer_of(servers.network, "GET", URL)
        with pytest.raises(NoAnswer, match="ConnectError"):
            await answer_of(servers.network, "GET", "http://nobody.test/")


async def test_a_server_that_never_ends_is_left_though_it_goes_on(autojump_clock: object) -> None:
    drips = answers.streams([b"x"] * 100, pause_s=9.0)
    async with open_servers(drips) as servers:
        began_s = trio.current_time()
        with pytest.raises(NoAnswer, match="TooSlowError"):
            await answer_of(servers.network, "GET", URL)
        assert trio.current_time() - began_s == 30.0


async def test_nobody_goes_where_a_redirect_points() -> None:
    moved = answers.says(302, b"", (("location", "http://exchange.test/"),))
    async with open_servers(moved, exchange=(answers.says(200, {}),)) as servers:
        status, _ = await answer_of(servers.network, "POST", URL, {"refresh_token": "r"})
    assert (status, servers.exchange.requests) == (302, [])
