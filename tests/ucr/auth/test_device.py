import pytest
import trio

from tests.world import answers
from tests.world.signing import DEVICE, OAUTH, granted, open_servers
from ucr.auth.device import signed_in
from ucr.auth.grant import DeviceCode, Grant, Unusable
from ucr.auth.server import NoAnswer
from ucr.auth.sign_in import SignIn
from ucr.secret import Secret

PENDING = answers.says(400, {"error": "authorization_pending"})
BEGUN = answers.says(200, DEVICE)


def ignore(_code: DeviceCode) -> None:
    pass


async def test_the_server_is_asked_as_often_as_it_wants_until_the_user_has_decided(
    autojump_clock: object,
) -> None:
    slow = answers.says(200, {"error": "slow_down"})
    slower = answers.says(200, {"error": "slow_down", "interval": 30})
    shown: list[DeviceCode] = []
    async with open_servers(BEGUN, PENDING, slow, slower, answers.says(200, granted())) as servers:
        grant = await signed_in(OAUTH, servers.network, shown.append)
    assert grant == Grant(Secret("access-1"), Secret("refresh-1"), 3600.0)
    assert [(code.user_code, code.url) for code in shown] == [("ABCD-1234", "https://login.test/device")]
    # 5 s and 5 s, then 10 s for the first `slow_down`, and the 30 s that the second one says.
    assert trio.current_time() == pytest.approx(50.0)
    assert [request.path for request in servers.tokens.requests] == ["/device", *["/token"] * 4]
    assert servers.forms[0] == {"client_id": "an-id", "scope": "read"}
    assert {form["device_code"] for form in servers.forms[1:]} == {"the-device-code"}


@pytest.mark.parametrize(
    ("error", "words"), [("access_denied", "refused"), ("expired_token", "in time"), ("x", "failed: x")]
)
async def test_a_user_who_declines_or_is_late_is_told_so(
    error: str, words: str, autojump_clock: object
) -> None:
    async with open_servers(BEGUN, PENDING, answers.says(400, {"error": error})) as servers:
        with pytest.raises(Unusable, match=words):
            await signed_in(OAUTH, servers.network, ignore)


async def test_a_code_that_nobody_types_ends_by_itself(autojump_clock: object) -> None:
    async with open_servers(BEGUN, PENDING) as servers:
        with pytest.raises(Unusable, match="not typed in time"):
            await signed_in(OAUTH, servers.network, ignore)
    assert trio.current_time() == pytest.approx(900.0)


async def test_a_server_that_fails_meanwhile_is_asked_again_later(autojump_clock: object) -> None:
    async with open_servers(BEGUN, answers.says(503, {}), answers.says(200, granted())) as servers:
        assert (await signed_in(OAUTH, servers.network, ignore)).access == Secret("access-1")
    assert trio.current_time() == pytest.approx(15.0)


async def test_a_sign_in_that_cannot_begin_says_why(autojump_clock: object) -> None:
    async with open_servers(answers.says(404, {"error": "Not Found"}), answers.says(500, {})) as servers:
        with pytest.raises(Unusable, match="cannot begin: Not Found"):
            await signed_in(OAUTH, servers.network, ignore)
        with pytest.raises(NoAnswer):
            await signed_in(OAUTH, servers.network, ignore)
        with pytest.raises(Unusable, match="no device flow"):
            await signed_in(SignIn("id", "http://tokens.test/token"), servers.network, ignore)
