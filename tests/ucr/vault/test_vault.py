"""The vault as requests see it."""

from typing import Any

import pytest
import trio

from actors import Mailbox, Ref, open_supervisor
from ucr.brief import ANSWER_S, LATE_ANSWER_S
from ucr.dialects.roles import Request
from ucr.vault.keeper import Keeper, KeeperSpec
from ucr.vault.messages import VaultMessage
from ucr.vault.state import State, written
from ucr.vault.vault import MOST_CALLS, Drawer, Vault, drawer_of

STATE = State([{"type": "thinking", "thinking": "t", "signature": "s"}], [])
OWN = Drawer("me", "session", "up")


async def test_a_state_is_found_by_client_session_provider_and_call(autojump_clock: object) -> None:
    async with open_supervisor() as supervisor:
        vault = Vault((await supervisor.start(Keeper(KeeperSpec()))).ref)
        vault.keep(OWN.key("a"), written(STATE))
        assert await vault.find(OWN, ["a", "b"]) == {"a": STATE}
        for drawer in (
            Drawer("you", "session", "up"),
            Drawer("me", "x", "up"),
            Drawer("me", "session", "other"),
        ):
            assert await vault.find(drawer, ["a"]) == {}


async def test_a_state_may_be_kept_under_another_id_as_well(autojump_clock: object) -> None:
    async with open_supervisor() as supervisor:
        vault = Vault((await supervisor.start(Keeper(KeeperSpec()))).ref)
        vault.keep(OWN.key("a"), written(STATE))
        await vault.keep_also(OWN, "a", "b")
        await vault.keep_also(OWN, "c", "d")
        assert await vault.find(OWN, ["a", "b", "d"]) == {"a": STATE, "b": STATE}


async def test_of_a_long_history_the_latest_calls_are_looked_for(autojump_clock: object) -> None:
    async with open_supervisor() as supervisor:
        vault = Vault((await supervisor.start(Keeper(KeeperSpec()))).ref)
        ids = [str(number) for number in range(MOST_CALLS + 1)]
        for id_ in ids:
            vault.keep(OWN.key(id_), written(STATE))
        assert list(await vault.find(OWN, ids)) == ids[1:]


async def test_a_damaged_state_is_none(autojump_clock: object) -> None:
    async with open_supervisor() as supervisor:
        vault = Vault((await supervisor.start(Keeper(KeeperSpec()))).ref)
        vault.keep(OWN.key("a"), b"damaged")
        assert await vault.find(OWN, ["a"]) == {}


async def test_a_keeper_that_does_not_answer_or_is_gone_is_no_state(autojump_clock: object) -> None:
    mailbox: Mailbox[Any] = Mailbox("keeper", capacity=9)
    vault = Vault(Ref[VaultMessage](mailbox))
    for within_s in (ANSWER_S, LATE_ANSWER_S):
        began_s = trio.current_time()
        assert await vault.find(OWN, ["a"]) == {}
        assert trio.current_time() - began_s == pytest.approx(within_s)
    mailbox.close()
    assert await vault.find(OWN, ["a"]) == {}
    vault.keep(OWN.key("a"), b"x")


def test_nothing_can_be_read_from_a_key() -> None:
    assert b"me" not in OWN.key("secret") and b"secret" not in OWN.key("secret")
    assert "me" not in repr(OWN)
    assert OWN.key("a") == Drawer("me", "session", "up").key("a") != OWN.key("b")
    assert Drawer("a", "bc", "up").key("x") != Drawer("ab", "c", "up").key("x")


def test_a_number_of_a_call_is_that_of_one_conversation() -> None:
    first, second = (Drawer("me", "", "up", beginning) for beginning in ("cats?", "dogs?"))
    assert first.key("call_1") == Drawer("me", "", "up", "cats?").key("call_1") != second.key("call_1")
    assert first.key("call_aB3dE") == second.key("call_aB3dE"), "a history that was cut short keeps its states"


def test_a_request_says_whose_drawer_it_opens() -> None:
    turns = [{"role": "user", "content": "cats?"}]
    request = Request("openai-chat", b"{}", {"messages": turns}, "m", False, {}, session_id="session")
    assert drawer_of("me", request, "up").key("call_1") == Drawer("me", "session", "up", "cats?").key("call_1")
    assert drawer_of(None, request, "up").key("call_aB3dE") == Drawer("", "session", "up").key("call_aB3dE")
