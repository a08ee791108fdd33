"""What workers and the store process say to each other."""

from actors import CACHE_MESSAGES, LIMITS_MESSAGES, Codec
from actors.purse import PURSE_MESSAGES
from ucr.journal.entry import Noted
from ucr.usage import Received, Used
from ucr.vault.messages import VAULT_MESSAGES

LIMITS_GREETING = b"L"
CACHE_GREETING = b"C"
STATUS_GREETING = b"S"
BOOKS_GREETING = b"B"
VAULT_GREETING = b"V"
JOURNAL_GREETING = b"J"
"""The first byte of a connection says which actor it is for. Each has connections of its own, so that a limit is
never asked for behind an answer of a megabyte."""


def limits_codec() -> Codec:
    return Codec(LIMITS_MESSAGES)


def cache_codec() -> Codec:
    return Codec(CACHE_MESSAGES)


def books_codec() -> Codec:
    return Codec((*PURSE_MESSAGES, Used, Received))


def vault_codec() -> Codec:
    return Codec(VAULT_MESSAGES)


def journal_codec() -> Codec:
    return Codec((Noted, Received))
