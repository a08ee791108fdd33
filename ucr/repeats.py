"""Requests that come again byte by byte: what was found out about one when it was answered from what is kept.

How this works. What a request asks, whose answer it may have and under which key that is kept depend on nothing but the
configuration, the head and the body. So a request with a head and a body that were there before, and were answered from
the hot tier, need not be read again. It is looked for by its length first, which costs nothing: the body of a
conversation, which grows with each turn, is not digested here. Neither heads nor bodies are kept, only their digests,
with a key that nobody else knows.
"""

from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from ucr.dialects.roles import HeaderList, Request
from ucr.exchange import Exchange
from ucr.routing import Candidate

LARGEST_BYTES = 256 * 1024
"""The digest of a larger body takes longer than others should wait."""

KEPT_LIMIT = 256
WORDS_CHARS = 1000
"""What the names in a request that is kept may take."""


class Repeat(Struct, frozen=True):
    """What was found out about a request of `size_bytes`, which is kept without its words, and the key of its answer.

    `form` are the headers that say what the answer is.
    """

    request: Request
    choices: tuple[Candidate, ...]
    key: bytes
    form: HeaderList
    size_bytes: int


class Repeats:
    """The latest requests that were answered from what is kept, of one configuration at a time."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._config: object = None
        self._lengths: dict[tuple[bytes, int], dict[bytes, Repeat]] = {}
        self._count = 0

    def __repr__(self) -> str:
        return f"<Repeats: {self._count}>"

    def find(self, config: object, exchange: Exchange, raw: bytes) -> Repeat | None:
        """Return what is known of a request with this head and this body; `config` is the same while nothing changes."""
        if config is not self._config:
            return None
        mark = exchange.badge.mark or self._mark(exchange)
        like = self._lengths.get((mark, len(raw)))
        return None if like is None else like.get(_digest(mark, raw))

    def remember(self, config: object, exchange: Exchange, repeat: Repeat) -> None:
        """Know a request from now on, if its names are not too long."""
        request, raw = repeat.request, repeat.request.raw
        chars = len(request.model) + len(request.session_id or "") + len(request.agent_id or "")
        if len(raw) > LARGEST_BYTES or chars + len(request.beside) > WORDS_CHARS:
            return
        if config is not self._config or self._count >= KEPT_LIMIT:
            self._config, self._count = config, 0
            self._lengths.clear()
        mark = exchange.badge.mark or self._mark(exchange)
        like = self._lengths.setdefault((mark, len(raw)), {})
        kept = replace(request, raw=b"", body={}, headers={}, toolset=None, beginning=None, prompt=None)
        digest = _digest(mark, raw)
        self._count += digest not in like  # which it is where the answer was at hand, was let go, and is again
        like[digest] = replace(repeat, request=kept)

    def _mark(self, exchange: Exchange) -> bytes:
        """Digest a head, all of it but the length of the body, once for all requests that have it."""
        fields = sorted(item for item in exchange.headers.items() if item[0] != "content-length")
        head = ascii((exchange.method, exchange.path, exchange.query, fields))
        exchange.badge.mark = mark = _digest(self._secret, head.encode())
        return mark


def _digest(key: bytes, data: bytes) -> bytes:
    """Return a digest that nobody can make without the key; that it is shown to nobody spares the second round of an HMAC."""
    return sha256(key + data).digest()
