"""Watches a file: whatever replaces it, renames onto it, swaps a link to it or deletes it is a change.

How this works. Twice a second it is asked what stands at the name now: which file, of what size and age. That
sees every way of replacing a file, on every file system and without a library; a watch of the kernel's is bound
to the old file. A change counts when nothing further has changed for a second, so that a half-written file is
not read.
"""

import os
from collections.abc import Awaitable, Callable

import trio

POLL_S = 0.5
DEBOUNCE_S = 1.0

Signature = tuple[str, int, int, int] | None


def signature_of(place: str | None) -> Signature:
    """Return what tells one state of a file from another; None when there is none."""
    if place is None:
        return None
    try:
        found = os.stat(place)  # noqa: PTH116 - a name, not a path to work with
    except OSError:
        return None
    return os.path.realpath(place), found.st_ino, found.st_size, found.st_mtime_ns


async def watch(
    place: Callable[[], str | None], changed: Callable[[], Awaitable[object]], seen: Signature
) -> None:
    """Call `changed` after each change of the file, for ever. `place` may name another file each time.

    `seen` is the state of the file that is known, from before it was read.
    """
    while True:
        await trio.sleep(POLL_S)
        now = signature_of(place())
        if now != seen:
            seen = await _settled(place, now)
            await changed()


async def _settled(place: Callable[[], str | None], signature: Signature) -> Signature:
    """Return the signature that has stayed the same for a second."""
    while True:
        await trio.sleep(DEBOUNCE_S)
        now = signature_of(place())
        if now == signature:
            return now
        signature = now
