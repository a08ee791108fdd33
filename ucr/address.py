"""Where a provider is asked and what its requests carry: made once for a configuration, and not for each request."""

import math
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from actors import Limits, UpstreamRequest, header_block
from ucr.config.model import Provider
from ucr.dialects.roles import HeaderList, Outgoing
from ucr.placing import place_of
from ucr.secret import Secret
from ucr.signing import Sign
from ucr.tokens import Tokens

KEPT = 64
"""So many sets of a dialect's headers are kept as they are written, none of which is longer than `KEPT_BYTES`."""
KEPT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class _Own:
    """The provider's own headers with one of its keys: their names, and how they are written.

    A dialect has few different headers, so that those are kept which were written last, `names` left out.
    """

    names: frozenset[str]
    block: bytes
    kept: dict[HeaderList, bytes] = field(default_factory=dict)

    def written(self, headers: HeaderList) -> bytes:
        """Return these headers and the provider's own, as they stand in a head."""
        block = self.kept.get(headers)
        if block is None:
            others = tuple([one for one in headers if one[0] not in self.names])
            block = header_block(others) + self.block
            if len(block) <= KEPT_BYTES:
                if len(self.kept) >= KEPT:
                    self.kept.clear()
                self.kept[headers] = block
        return block


class Address:
    """Makes the requests to one provider, with its own headers in place of those of the dialect.

    `tokens` is where its key comes from if it has none that lasts: `renew` is then called before each request. `sign`
    is what proves who asks where no key is sent. `keyed` is the provider with the keys that it is asked with now.
    `limits` leave the time to whoever waits, but for that of connecting.
    """

    __slots__ = ("_own", "_place", "_prefix", "_query", "_sign", "keyed", "limits", "provider", "tokens")

    def __init__(self, provider: Provider, tokens: Tokens | None = None, sign: Sign | None = None) -> None:
        parts = urlsplit(provider.base_url)
        self.provider = provider
        self.tokens = tokens
        self.keyed = provider
        self.limits = Limits(provider.timeouts.connect_s, math.inf, math.inf)
        self._prefix = parts.path.rstrip("/")
        self._query = f"?{parts.query}" if parts.query else ""
        self._place = place_of(provider)
        self._sign = sign
        self._own = tuple(_own(provider, key) for key in range(max(1, len(provider.api_keys))))

    def __repr__(self) -> str:
        return f"<Address of {self.provider.id!r}>"

    def request(self, outgoing: Outgoing, key: int = 0) -> UpstreamRequest:
        """Return the request as it is sent: below the base URL's own path and query, with one of the keys.

        Where a platform has paths of its own, it is sent there. Raises `PoolError` for a header that breaks a head.
        """
        path = f"{self._prefix}{outgoing.path}" if self._place is None else self._place(outgoing)
        if self._query and self._place is None:
            path += self._query if "?" not in path else f"&{self._query[1:]}"
        body, block = outgoing.take_body(), self._own[key].written(outgoing.headers)
        if self._sign is not None:
            block += header_block(self._sign(path, body))
        return UpstreamRequest("POST", path, (), body, block)

    def plain(self, method: str, path: str, headers: HeaderList, key: int = 0) -> UpstreamRequest:
        """Return a request without a body, below the base URL's own path, with one of the keys."""
        return UpstreamRequest(method, f"{self._prefix}{path}", headers, block=self.block(key))

    def block(self, key: int = 0) -> bytes:
        """Return the provider's own headers with one of its keys, as they are written."""
        return self._own[key].block

    async def renew(self) -> None:
        """See that a provider with tokens is asked with one that holds; raise `UpstreamError`."""
        if self.tokens is None or self.tokens.is_fresh:
            return
        self.keyed = replace(self.provider, api_keys=(await self.tokens.current(),))
        self._own = (_own(self.keyed, 0),)

    @property
    def token(self) -> Secret | None:
        """The token that it is asked with now; None for a provider that is asked without one."""
        return None if self.tokens is None else self.keyed.api_keys[0]


def _own(provider: Provider, key: int) -> _Own:
    merged = {name.lower(): value for name, value in provider.headers.items()}
    merged.update(auth_headers(provider, key))
    return _Own(frozenset(merged), header_block(tuple(merged.items())))


def auth_headers(provider: Provider, key: int = 0) -> HeaderList:
    """Return one of the provider's own keys, by its number, as headers; none when it needs none."""
    if not provider.api_keys or provider.auth == "none":
        return ()
    secret = provider.api_keys[key].reveal()
    if provider.auth == "bearer":
        return (("authorization", f"Bearer {secret}"),)
    if provider.auth == "both":
        return (("x-api-key", secret), ("api-key", secret))
    return ((provider.auth, secret),)
