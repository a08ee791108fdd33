"""Walks over the keys of one space in a Redis server, and removes the entries that have a tag, or all."""

from collections.abc import Awaitable, Callable

from actors import sealing
from actors.redis_reply import Command

Call = Callable[..., Awaitable[list[object] | None]]
"""Sends commands together; None when they were not answered."""

STEP = 500
"""How many keys the server looks at in one step."""


async def sweep(call: Call, prefix: bytes, tag: str | None) -> int:
    """Return how many entries were removed. Keys that are there from the beginning to the end are all seen.

    When the server does not answer the walk ends where it is.
    """
    removed = 0
    cursor = b"0"
    while True:
        answers = await call((b"SCAN", cursor, b"MATCH", prefix + b"*", b"COUNT", STEP))
        match answers:
            case [[bytes() as cursor, list() as names]]:
                removed += await _removed(call, names, tag)
            case _:
                return removed
        if cursor == b"0":
            return removed


async def _removed(call: Call, names: list[bytes], tag: str | None) -> int:
    if tag is not None and names:
        heads: tuple[Command, ...] = tuple((b"GETRANGE", name, 0, sealing.HEAD_BYTES) for name in names)
        found = zip(names, await call(*heads) or (), strict=False)
        names = [name for name, head in found if isinstance(head, bytes) and tag in sealing.tags_of(head)]
    if not names:
        return 0
    answers = await call((b"UNLINK", *names))
    return answers[0] if answers and isinstance(answers[0], int) else 0
