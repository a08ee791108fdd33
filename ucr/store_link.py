"""A worker's connections to the store process: to the lender of limits, the cache that workers share, the books and the vault."""

from functools import partial

import trio

from actors import Borrower, CacheMessage, Fill, Forfeit, LimitsMessage, Link, LinkEvents, Ref
from actors.purse import Purse
from ucr.books import BooksMessage
from ucr.journal.entry import JournalMessage
from ucr.logs import Log
from ucr.store_wire import (
    BOOKS_GREETING,
    CACHE_GREETING,
    JOURNAL_GREETING,
    LIMITS_GREETING,
    VAULT_GREETING,
    books_codec,
    cache_codec,
    journal_codec,
    limits_codec,
    vault_codec,
)
from ucr.vault.messages import VaultMessage


class LimitsEvents(LinkEvents[LimitsMessage]):
    """Gives the borrower its lender, and takes it away."""

    def __init__(self, borrower: Borrower, log: Log) -> None:
        self._borrower = borrower
        self._log = log

    def up(self, ref: Ref[LimitsMessage]) -> None:
        self._borrower.attach(ref)
        self._log.info("store.connected")

    def down(self, reason: str | None) -> None:
        self._borrower.detach()
        if reason is not None:
            self._log.warning("store.lost", error=reason)

    def unclaimed(self, ref: Ref[LimitsMessage], message: object, answer: object) -> None:
        self._borrower.unclaimed(message, answer)


class CacheEvents(LinkEvents[CacheMessage]):
    """Forfeits what somebody was to fill who has left."""

    def unclaimed(self, ref: Ref[CacheMessage], message: object, answer: object) -> None:
        if isinstance(answer, Fill):
            ref.tell(Forfeit(answer.ticket))


class BooksEvents(LinkEvents[BooksMessage]):
    """Gives the purse its keeper, and takes it away. What was held for somebody who left, he has given back himself."""

    def __init__(self, purse: Purse) -> None:
        self._purse = purse

    def up(self, ref: Ref[BooksMessage]) -> None:
        self._purse.attach(ref)

    def down(self, reason: str | None) -> None:
        self._purse.detach()


def limits_link(path: str, borrower: Borrower, log: Log) -> Link[LimitsMessage]:
    """Return the child that keeps a borrower connected to the store at this path."""
    connect = partial(trio.open_unix_socket, path)
    return Link("ucr:store-limits", connect, limits_codec(), LIMITS_GREETING, LimitsEvents(borrower, log))


def cache_link(path: str) -> Link[CacheMessage]:
    """Return the child whose `ref` is the cache of the store at this path."""
    connect = partial(trio.open_unix_socket, path)
    return Link("ucr:store-cache", connect, cache_codec(), CACHE_GREETING, CacheEvents())


def books_link(path: str, purse: Purse) -> Link[BooksMessage]:
    """Return the child that keeps a purse connected to the store at this path; its `ref` is the books."""
    connect = partial(trio.open_unix_socket, path)
    return Link("ucr:store-books", connect, books_codec(), BOOKS_GREETING, BooksEvents(purse))


def vault_link(path: str) -> Link[VaultMessage]:
    """Return the child whose `ref` is the keeper of the vault in the store at this path."""
    connect = partial(trio.open_unix_socket, path)
    return Link("ucr:store-state", connect, vault_codec(), VAULT_GREETING, LinkEvents[VaultMessage]())


def journal_link(path: str) -> Link[JournalMessage]:
    """Return the child whose `ref` is the journal of the store at this path."""
    connect = partial(trio.open_unix_socket, path)
    return Link("ucr:store-journal", connect, journal_codec(), JOURNAL_GREETING, LinkEvents())
