"""The key under which an answer is kept: a keyed digest of everything that the answer depends on. Pure.

How this works. The body is written anew from what was read of it, with sorted names and without the fields that
change nothing of an answer, so that requests which mean the same meet although their bytes differ. For 65 kB that
takes 50 µs, and the digest of it 50 more. What says who may be asked is the same for all requests of a plan: that part
is digested by itself and kept. The rest of the head is one tuple, written as Python writes it, in ASCII and with quotes.
"""

import hmac
from collections.abc import Mapping
from types import MappingProxyType

from ucr import __version__, jsontext
from ucr.dialects.roles import Headers, Request, is_strict
from ucr.routing import Candidate

DIGEST = "sha256"
CANONICAL_BYTES = 256 * 1024
"""A larger body is taken as it came: to write it anew takes longer than others should wait."""

PLANS_LIMIT = 64

TOLD = ("anthropic-", "openai-")
"""How the names of those headers begin that providers are told of."""

_STREAM = frozenset({"stream"})
_FILED = frozenset({"metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "user"})
VOLATILE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "anthropic": _STREAM | {"metadata"},
        "openai-chat": _STREAM | _FILED | {"store"},
        "openai-responses": _STREAM | _FILED | {"client_metadata"},
    }
)
"""By dialect the fields that say who asks and how it is filed, and change nothing of an answer. Whether it is to be a
stream is a part of the key by itself. A body of another dialect is taken as it came: what was read of it need not be
all that it says."""


def canonical(request: Request) -> bytes:
    """Return bytes that are equal for bodies that mean the same."""
    if request.beside:
        return b"%b\n%b" % (request.beside.encode("utf-8", "replace"), request.raw)
    left_out = VOLATILE.get(request.dialect)
    if left_out is None or len(request.raw) > CANONICAL_BYTES:
        return request.raw
    kept = {name: value for name, value in request.body.items() if name not in left_out}
    return jsontext.dumps_sorted(kept) or request.raw


class Keys:
    """Makes keys. `secret` is that of the digests: nobody outside can make two requests meet."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._plans: dict[tuple[int, ...], tuple[tuple[Candidate, ...], bytes]] = {}

    def __repr__(self) -> str:
        return f"<Keys of {len(self._plans)} plans>"

    def of(self, request: Request, choices: tuple[Candidate, ...], client: str, kind: str = "answer") -> bytes:
        """Return the key of what this client gets for this request from these candidates.

        What stands before the body has a length that is fixed or told, so that no part can pass for another.
        """
        is_strict_reader = request.stream and is_strict(request.headers.get("user-agent", ""))
        parts = (kind, client, request.dialect, request.beside, request.model, bool(request.stream))
        head = ascii((parts, is_strict_reader, told(request.headers))).encode()
        plan = self._plan(choices)
        message = b"%b%d %b%b" % (plan, len(head), head, canonical(request))
        return hmac.digest(self._secret, message, DIGEST)

    def _plan(self, choices: tuple[Candidate, ...]) -> bytes:
        """Return the digest of a plan. Candidates live long: the same ones are the same objects."""
        ids = tuple(map(id, choices))
        known = self._plans.get(ids)
        if known is not None:
            return known[1]
        if len(self._plans) >= PLANS_LIMIT:
            self._plans.clear()
        digest = hmac.digest(self._secret, ascii((__version__, *map(_said, choices))).encode(), DIGEST)
        self._plans[ids] = (choices, digest)
        return digest


def told(headers: Headers) -> list[str]:
    """Return the headers that change an answer: those that providers are told of."""
    named = [f"{name}={headers[name]}" for name in headers if name[:10] == TOLD[0] or name[:7] == TOLD[1]]
    return sorted(named)


def _said(candidate: Candidate) -> str:
    provider = candidate.provider
    known = (provider.id, provider.dialect, provider.base_url, candidate.model, candidate.route, candidate.tier)
    return "\n".join((*known, repr(provider.quirks), repr(sorted(provider.headers.items()))))
