import pytest

from actors.lending import Holding, Settlement, Want
from actors.limits import Borrow, Declare, Leave, Lent, Recovering, Settled, Short
from actors.lookup import Busy, Clear, Fill, Forfeit, Hit, Lookup, Store
from ucr.store_wire import cache_codec, limits_codec, vault_codec
from ucr.vault.messages import FindStates, KeepState, States

LIMITS = (
    Borrow("a", (Want("k", "rate", 10, 2, 3), Want("p", "permits", 4))),
    Settled("a", (Settlement("k", 1, 2, 3, ((7, 4),)),)),
    Declare("a", (Holding("k", "rate", 10, 0, ((3, 4), (0, 1))),), 2),
    Leave("a", 2),
    Lent((2, 1), 3),
    Short("k", 1.5, 3),
    Recovering(),
)
CACHE = (
    Lookup(b"\x00k", joins=False),
    Store(7, b"\xff"),
    Forfeit(7),
    Clear(),
    Hit(b"e", 0.5),
    Fill(1 << 41),
    Busy(),
)


@pytest.mark.parametrize("message", LIMITS, ids=repr)
def test_what_is_said_of_limits_arrives_as_it_was_said(message: object) -> None:
    codec = limits_codec()
    assert codec.decode(*codec.encode(message)) == message


@pytest.mark.parametrize("message", CACHE, ids=repr)
def test_what_is_said_of_the_cache_arrives_as_it_was_said(message: object) -> None:
    codec = cache_codec()
    assert codec.decode(*codec.encode(message)) == message


@pytest.mark.parametrize(
    "message", [FindStates((b"k",)), KeepState(b"k", b"\xff"), States((None, b"s"))], ids=repr
)
def test_what_is_said_of_the_vault_arrives_as_it_was_said(message: object) -> None:
    codec = vault_codec()
    assert codec.decode(*codec.encode(message)) == message
