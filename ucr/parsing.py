"""Reading requests: large ones only while there is memory for what they come to, and very large ones beside the loop.

A body of many small values takes thirty times its size when it is read, and one that is coded is a thousandth of that on
the wire. The worker's own look at its memory comes once a second, which is too late for several of those at one time.
"""

from collections.abc import Callable

from ucr.call import Router
from ucr.dialects.roles import Headers, Request
from ucr.large import beside
from ucr.rests import LARGE_BYTES

WEIGHTY_BYTES = 256 * 1024
"""From this size on it is looked whether there is memory: to look takes some 30 µs, to read this much a millisecond."""

Parse = Callable[[bytes, Headers], Request]


async def parsed(router: Router, parse: Parse, raw: bytes, headers: Headers) -> Request:
    """Read a request, and judge the length of a very large one, too, while nobody waits for it.

    Raise what `parse` raises, and `ApiError` 529 where there is no memory for a large one.
    """
    if len(raw) < WEIGHTY_BYTES:
        return parse(raw, headers)
    if len(raw) < LARGE_BYTES:
        router.check_memory()
        return parse(raw, headers)

    def read() -> Request:
        router.check_memory()
        request = parse(raw, headers)
        assert request.estimate >= 0, "it is kept from now on"
        return request

    return await beside(router.reading, read)
