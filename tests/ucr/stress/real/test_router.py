import os
import signal
import sys
import tomllib

import pytest
import trio

from ucr.config.load import load
from ucr.config.overrides import Overrides
from ucr.stress.real.attackers import HOSTILE, KEYED, OPEN
from ucr.stress.real.router import (
    SERVER,
    Served,
    children,
    configuration,
    descriptors,
    is_alive,
    is_refused,
    processor_s,
    resident_bytes,
    send,
    with_lane,
)
from ucr.stress.real.upstream import upstreams


async def test_the_first_provider_is_the_default_and_the_others_stand_in_for_it() -> None:
    async with upstreams("alpha", "beta") as (alpha, beta):
        text = configuration(Served(alpha), Served(beta, "openai-chat"), grace_s=3)
        config = load(text, "ucr.toml", {}, Overrides())
        assert [target.provider for target in config.router.default] == ["alpha"]
        assert [provider.base_url for provider in config.providers] == [
            f"http://127.0.0.1:{alpha.port}",
            f"http://127.0.0.1:{beta.port}/v1",
        ]
    assert config.server.grace_s == 3


@pytest.mark.parametrize("front_lane", [True, False])
@pytest.mark.parametrize("text", [SERVER, HOSTILE, OPEN, KEYED])
def test_the_front_lane_can_be_turned_off(text: str, front_lane: bool) -> None:
    server = tomllib.loads(
        with_lane(text.format(grace_s=1, default="", fallbacks="[]", router=""), front_lane)
    )["server"]
    assert (server.pop("front_lane"), list(server)) == (front_lane, ["grace_s"])


@pytest.mark.slow
async def test_a_child_process_is_seen_while_it_lives() -> None:
    process = await trio.lowlevel.open_process([sys.executable, "-c", "input()"], stdin=-1)
    try:
        assert process.pid in children(os.getpid())
        assert is_alive(process.pid)
        assert descriptors(process.pid) >= 3
        assert resident_bytes(process.pid) > 0
    finally:
        send(process.pid, signal.SIGKILL)
        await process.wait()
        if process.stdin is not None:
            await process.stdin.aclose()
    assert not is_alive(process.pid)
    assert process.pid not in children(os.getpid())


def test_what_is_no_process_has_nothing() -> None:
    assert (is_alive(2**22 + 1), descriptors(2**22 + 1), processor_s(2**22 + 1)) == (False, 0, 0.0)
    send(2**22 + 1, signal.SIGKILL)


async def test_a_port_is_free_when_nobody_listens_on_it() -> None:
    async with upstreams("alpha") as (alpha,):
        assert not is_refused(alpha.port)
        alpha.fall()
        assert is_refused(alpha.port)
