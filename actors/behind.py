"""The way from a cache to its backing: what is looked for there, written behind, and forgotten.

The cache itself waits for nothing: each call is a task of its own, whose end is told to the cache as a message.
"""

from collections.abc import Callable
from dataclasses import dataclass

import trio

from actors.backing import Backing
from actors.lookup import Hit, Loaded
from actors.mailbox import Reply


@dataclass(frozen=True, slots=True)
class BehindSpec:
    """`load_s` and `write_s` are how long the backing has; what is being written takes `writing_bytes` at most."""

    ttl_s: float
    load_s: float
    write_s: float
    writing_bytes: int


@dataclass(slots=True)
class BehindNumbers:
    """What was found in the backing and what was not, what was given to it and what there was no room for."""

    loaded: int = 0
    not_loaded: int = 0
    written: int = 0
    unwritten: int = 0


class Behind:
    """One incarnation's calls of a backing. Tasks run in its nursery, which is that of the cache's `run`."""

    def __init__(
        self,
        backing: Backing,
        spec: BehindSpec,
        numbers: BehindNumbers,
        nursery: trio.Nursery,
        tell: Callable[[Loaded], None],
    ) -> None:
        self._backing = backing
        self._spec = spec
        self._numbers = numbers
        self._nursery = nursery
        self._tell = tell
        self._writing: set[trio.CancelScope] = set()
        self._writing_bytes = 0
        self._clears = 0
        self._last_clear: trio.Event | None = None

    def __repr__(self) -> str:
        return f"<Behind: {self._writing_bytes} bytes are being written to {self._backing!r}>"

    @property
    def is_clearing(self) -> bool:
        """True while something is being forgotten there: what is found then counts for nothing."""
        return self._clears > 0

    def load(self, key: bytes) -> None:
        """Look for a key; `Loaded` is told in any case, after `load_s` at the latest."""
        self._nursery.start_soon(self._load, key)

    async def _load(self, key: bytes) -> None:
        found = None
        with trio.move_on_after(self._spec.load_s):
            found = await self._backing.get(key)
        if found is None or found.age_s >= self._spec.ttl_s:
            self._numbers.not_loaded += 1
            self._tell(Loaded(key, None))
        else:
            self._numbers.loaded += 1
            self._tell(Loaded(key, (Hit(found.entry, found.age_s), found.tags)))

    def write(self, key: bytes, entry: bytes, tags: tuple[str, ...]) -> None:
        """Write an entry behind, if there is room for it."""
        if self._writing_bytes + len(entry) > self._spec.writing_bytes:
            self._numbers.unwritten += 1
            return
        self._writing_bytes += len(entry)
        scope = trio.CancelScope(deadline=trio.current_time() + self._spec.write_s)
        self._writing.add(scope)
        self._nursery.start_soon(self._write, key, entry, tags, scope)

    async def _write(self, key: bytes, entry: bytes, tags: tuple[str, ...], scope: trio.CancelScope) -> None:
        try:
            with scope:
                await self._backing.put(key, entry, self._spec.ttl_s, tags)
        finally:
            self._writing.discard(scope)
            self._writing_bytes -= len(entry)
        if scope.cancelled_caught:
            self._numbers.unwritten += 1
        else:
            self._numbers.written += 1

    def clear(self, tag: str | None, reply: Reply[int], entries: int) -> None:
        """Forget what has this tag, or everything, and then answer how many entries it were, here or there.

        What is being written is given up, so that nothing comes in behind.
        """
        self._clears += 1
        for scope in self._writing:
            scope.cancel(reason="the cache is being cleared")
        before, self._last_clear = self._last_clear, trio.Event()
        self._nursery.start_soon(self._clear, tag, reply, entries, before, self._last_clear)

    async def _clear(
        self, tag: str | None, reply: Reply[int], entries: int, before: trio.Event | None, done: trio.Event
    ) -> None:
        """Clear when the clear before this one is done: of two at once the first one counts what was there."""
        there = 0
        try:
            if before is not None:
                await before.wait()
            there = await self._backing.clear(tag)
        finally:
            self._clears -= 1
            done.set()
        reply.answer(max(entries, there))
