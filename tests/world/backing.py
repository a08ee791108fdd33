"""A backing for tests: a dictionary on virtual time, which can be slow or full."""

from collections.abc import Mapping

import trio

from actors.backing import Backed


class DictBacking:
    """`slow_s` is how long every call takes. A full one keeps nothing new."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.slow_s = slow_s
        self.is_full = False
        self.kept: dict[bytes, tuple[bytes, float, float, tuple[str, ...]]] = {}
        self.calls: list[str] = []

    async def get(self, key: bytes) -> Backed | None:
        self.calls.append("get")
        await trio.sleep(self.slow_s)
        now = trio.current_time()
        entry, since, until, tags = self.kept.get(key, (b"", 0.0, -1.0, ()))
        return Backed(entry, now - since, tags) if now < until else None

    async def put(self, key: bytes, entry: bytes, ttl_s: float, tags: tuple[str, ...]) -> None:
        self.calls.append("put")
        await trio.sleep(self.slow_s)
        if not self.is_full:
            self.kept[key] = (entry, trio.current_time(), trio.current_time() + ttl_s, tags)

    async def clear(self, tag: str | None) -> int:
        self.calls.append("clear")
        await trio.sleep(self.slow_s)
        tagged = [key for key, kept in self.kept.items() if tag is None or tag in kept[3]]
        for key in tagged:
            del self.kept[key]
        return len(tagged)

    def statistics(self) -> Mapping[str, int]:
        return {"kept": len(self.kept)}
