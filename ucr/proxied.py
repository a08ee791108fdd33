"""Requests that came through a trusted proxy: each gets its client's address, and no address gets too much.

A connection of a proxy carries the requests of many, so what is limited for each address is not connections but
the requests at one time.
"""

from collections import Counter
from collections.abc import Awaitable, Callable

from ucr.errors import ApiError
from ucr.exchange import Exchange
from ucr.forwarding import Proxies

Answer = Callable[[Exchange], Awaitable[None]]


class Proxied:
    """Lets `answer` answer exchanges whose `peer` is the client's own address."""

    def __init__(self, answer: Answer, proxies: Proxies, most_per_address: int) -> None:
        self._answer = answer
        self._proxies = proxies
        self._most_per_address = most_per_address
        self._requests: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Proxied: {self._requests.total()} requests by {self._proxies!r}>"

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request; one too many of its address is told 529."""
        client = self._proxies.client_of(exchange.peer, exchange.headers)
        if client == exchange.peer:
            return await self._answer(exchange)
        exchange.peer = client
        if self._requests[client] >= self._most_per_address:
            words = "too many requests of one address at one time; try again"
            exchange.fault = exchange.fault or ApiError("overloaded_error", words, retry_after_s=1)
        self._requests[client] += 1
        try:
            await self._answer(exchange)
        finally:
            self._requests[client] -= 1
            if not self._requests[client]:
                del self._requests[client]
