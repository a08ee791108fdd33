"""The failure catalogue, 99 to 101: what is no HTTP/1.1, hides a request, or speaks another protocol."""

from collections.abc import Mapping

import pytest

from tests.world.attackers import named, said, see_alive, see_attack
from tests.world.router import config_of, open_router, provider
from ucr.stress.attacks import heads, wire
from ucr.stress.attacks.wire import Attack

pytestmark = pytest.mark.usefixtures("both_lanes")

CONFIG = config_of(provider("up", "openai-chat"))
MALFORMED = {
    name: Attack(data, frozenset({status}), is_fault=True) for name, (data, status) in heads.REFUSED.items()
}


@pytest.mark.slow
async def test_fault_99_what_is_no_http_is_refused_and_its_connection_closed(autojump_clock: object) -> None:
    await see_all(MALFORMED)


@pytest.mark.slow
async def test_fault_100_a_hidden_request_is_never_answered(autojump_clock: object) -> None:
    await see_all(wire.FRAMINGS)


@pytest.mark.slow
async def test_fault_101_another_protocol_is_refused_and_ends_nothing(autojump_clock: object) -> None:
    await see_all(wire.UPGRADES)


async def see_all(attacks: Mapping[str, Attack]) -> None:
    """Send every attack of a table to one router."""
    async with open_router(CONFIG) as world:
        for name, attack in attacks.items():
            with named(name):
                await see_attack(world, attack)
        assert world.network.attempts == 2 * len(attacks), "each attacker's connection, and one for health"


@pytest.mark.slow
async def test_fault_100_a_fault_after_a_good_request_is_told_in_its_turn(autojump_clock: object) -> None:
    good = b"GET /health HTTP/1.1\r\n" + wire.HOST + b"\r\n"
    async with open_router(CONFIG) as world:
        for name, attack in (*MALFORMED.items(), *wire.FRAMINGS.items()):
            if not attack.is_fault:
                continue
            received, is_ended = await said(world, good + attack.data)
            with named(name):
                first, second = [answer.status for answer in wire.answers_in(received)]
                assert first == 200
                assert second in attack.statuses
                assert is_ended
        await see_alive(world)


def test_the_six_that_end_a_bare_hypercorn_are_among_them() -> None:
    killers = {
        "h2-path-not-ascii",
        "h2-method-not-ascii",
        "h2-connect-without-path",
        "h2-data-after-answer",
        "h2c-bad-settings",
        "websocket-and-bytes",
    }
    assert killers <= wire.UPGRADES.keys()


def test_the_reader_of_answers_knows_their_ends() -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    chunked = head + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    data = b"HTTP/1.1 100 Continue\r\n\r\n" + chunked + head + b"content-length: 2\r\n\r\nhi"
    assert [answer.body for answer in wire.answers_in(data)] == [b"abcde", b"hi"]
    with pytest.raises(ValueError, match="no answer"):
        wire.answers_in(b"garbage")
