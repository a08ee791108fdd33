import json
from datetime import UTC, datetime
from typing import Any

from actors import Borrower, Fill, Lookup
from actors.lending import Want
from actors.limits import Borrow, Declare, Lent, LimitsMessage
from actors.mailbox import Mailbox
from actors.ref import Ref
from ucr.logs import make_log
from ucr.store_link import CacheEvents, LimitsEvents, cache_link, limits_link, vault_link

WANT = Want("k", "permits", 2)


def told() -> tuple[LimitsEvents, Borrower, Mailbox[LimitsMessage], list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []
    now = datetime(2026, 11, 26, tzinfo=UTC)
    log = make_log("info", (), (lambda line: lines.append(json.loads(line)),), lambda: now)
    borrower = Borrower("w0")
    return LimitsEvents(borrower, log), borrower, Mailbox("store", capacity=9), lines


async def test_a_connection_gives_the_borrower_a_lender_that_is_told_first_what_it_holds() -> None:
    events, borrower, mailbox, lines = told()
    events.up(Ref(mailbox))
    assert borrower.has_lender
    message, _ = await mailbox.take()
    assert message == Declare("w0", (), 1)
    events.down("it was killed")
    assert not borrower.has_lender
    assert [(line["event"], line.get("error")) for line in lines] == [
        ("store.connected", None),
        ("store.lost", "it was killed"),
    ]


async def test_the_own_end_is_no_loss() -> None:
    events, borrower, mailbox, lines = told()
    events.up(Ref(mailbox))
    events.down(None)
    assert not borrower.has_lender
    assert [line["event"] for line in lines] == ["store.connected"]


async def test_what_is_lent_to_somebody_who_left_stays_in_stock() -> None:
    events, borrower, mailbox, _ = told()
    events.unclaimed(Ref(mailbox), Borrow("w0", (WANT,)), Lent((2,), 1))
    assert borrower.stock(WANT).spare == 2


async def test_a_fill_of_somebody_who_left_is_forfeited() -> None:
    mailbox: Mailbox[Any] = Mailbox("cache", capacity=9)
    CacheEvents().unclaimed(Ref(mailbox), Lookup(b"k"), Fill(7))
    message, _ = await mailbox.take()
    assert message.ticket == 7
    CacheEvents().unclaimed(Ref(mailbox), Lookup(b"k"), object())
    assert mailbox.statistics().queued == 0


async def test_links_are_named_for_the_tree() -> None:
    _, borrower, _, _ = told()
    log = make_log("info", (), (), lambda: datetime(2026, 11, 26, tzinfo=UTC))
    assert limits_link("/nowhere", borrower, log).name == "ucr:store-limits"
    assert cache_link("/nowhere").name == "ucr:store-cache"
    assert vault_link("/nowhere").name == "ucr:store-state"
