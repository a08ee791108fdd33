"""The ids of requests, in the form that Anthropic's have.

How this works: an id begins with the second in which it was drawn, so that later ids come after earlier ones. The index
of the journal then grows at its end. Ids that are random altogether touch a page of it each, which costs as much as
writing the entry. The other two thirds are random, and are drawn for many ids at once.
"""

import secrets
from collections.abc import Callable, Iterator
from itertools import chain

_SECOND_CHARS = 8
_RANDOM_CHARS = 16
_AT_ONCE = 256


def request_ids(unix_time: Callable[[], float]) -> Callable[[], str]:
    """Return what gives a fresh id at each call. The system is asked for randomness and time once for many of them."""
    return chain.from_iterable(_drawn(unix_time)).__next__


def _drawn(unix_time: Callable[[], float]) -> Iterator[list[str]]:
    while True:
        beginning = f"req_{int(unix_time()) & 0xFFFFFFFF:0{_SECOND_CHARS}x}"
        drawn = secrets.token_hex(_RANDOM_CHARS // 2 * _AT_ONCE)
        yield [beginning + drawn[at : at + _RANDOM_CHARS] for at in range(0, len(drawn), _RANDOM_CHARS)]
