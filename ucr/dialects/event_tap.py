"""What every tap on a passing stream does, whatever the dialect: hold, commit, pass on, end.

How this works: bytes are cut into event blocks and each block is read as far as the dialect needs. Until the
commit point nothing goes out, so that a failure before it can be answered by another candidate; from there on
every read gives what it completed, the bytes unchanged. Because only whole blocks go out, a keep-alive may be
written between any two returns. An LF that may or may not have been read after a block's last CR is evened out,
so that any split gives the same bytes.

Nearly all blocks hold content and nothing else. A dialect says which ones do (`_contents`), of all blocks of a read at
once, by a typed decoder that checks everything and keeps next to nothing; they pass in runs, and only the others are
read one by one. A read of whole blocks that are all content is not even cut into blocks: it passes as it came.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, TypeVar

from msgspec.json import Decoder

from ucr import jsontext, sse
from ucr.dialects import faults
from ucr.dialects.roles import Content, Context, Summary
from ucr.errors import UpstreamError
from ucr.events import Usage
from ucr.jsontext import JsonError, JsonObject
from ucr.ndjson import NdjsonError

HELD_LIMIT_BYTES = 1024 * 1024
"""What may wait for the commit point: a message's start, and pings for longer than any limit allows."""

_DONE = "[DONE]"

Told = TypeVar("Told")


class Splitter(Protocol):
    """Cuts bytes into the blocks of a client's stream; raises `sse.SseError` or `NdjsonError`."""

    def feed(self, data: bytes) -> list[bytes]: ...

    def close(self) -> bytes: ...

    @property
    def is_clear(self) -> bool:
        """True when the next bytes are surely read as they are: see `sse.Splitter.is_clear`."""
        ...


class EventTap(ABC):
    """A tap of one stream: a dialect says what an event means by `_event`, and calls `_commit` and `_fail`.

    `framing_bytes` is about what an event of content holds beside the content, `lines` how many lines such an event has.
    """

    framing_bytes = 0
    lines = 0

    def __init__(self, context: Context, splitter: Splitter | None = None) -> None:
        self._context = context
        self._splitter: Splitter = splitter or sse.Splitter()
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._is_committed = False
        self._is_finished = False
        self._failure: UpstreamError | None = None
        self._usage = Usage()
        self._stop_reason: str | None = None
        self._block_bytes = 0
        self.content = Content()

    def feed(self, data: bytes) -> bytes:
        """Take bytes; return what goes to the client, nothing before the commit point."""
        if self._failure is not None:
            return b""
        if self._is_committed and self.lines and self._splitter.is_clear:
            passed = self._whole(data)
            if passed is not None:
                return passed
        try:
            self._take(self._splitter.feed(data))
        except (sse.SseError, NdjsonError) as error:
            self._break(f"broke its stream: {error}")
        return self._released()

    def close(self) -> bytes:
        """Say that the bytes are at their end; return what is left, and an error event if the end is missing.

        Before the commit point nothing is returned: `failure` says what happened.
        """
        if self._failure is not None:
            return b""
        try:
            self._take_last(self._splitter.close())
        except (sse.SseError, NdjsonError) as error:
            self._break(f"broke its stream: {error}")
        if not self._is_finished and self._failure is None:
            ending = self._ending()
            if ending is None:
                self._fail(faults.cut_short(self._context.provider))
            else:
                self._is_finished = True
                self._held.append(ending)
        return self._released()

    @property
    def is_committed(self) -> bool:
        """True once content, or a normal end without any, was read."""
        return self._is_committed

    @property
    def is_at_boundary(self) -> bool:
        """True always: only whole events are returned."""
        return True

    @property
    def is_finishing(self) -> bool:
        """False always: whoever passes bytes on waits for all of them."""
        return False

    @property
    def is_finished(self) -> bool:
        """True once the stream's proper end was read."""
        return self._is_finished

    @property
    def failure(self) -> UpstreamError | None:
        """The error that the stream reported or ended in."""
        return self._failure

    @property
    def summary(self) -> Summary:
        """What was read of usage and of the reason to stop."""
        return Summary(self._usage, self._stop_reason)

    def _contents(self, columns: list[list[bytes]]) -> Sequence[bool] | None:
        """Say of blocks, whose first lines are given, and their second ones, whether each is surely only content.

        None when that cannot be said of all at once, because one of them is not sound.
        """
        return None

    def _passed(self, blocks: bytes, count: int) -> bytes | None:
        """Return what the client of a committed stream gets of so many blocks of content; None when each is to be read."""
        return blocks

    @abstractmethod
    def _event(self, block: bytes, event: sse.SseEvent, value: JsonObject) -> bytes:
        """Read one event; return what the client gets of it."""

    @abstractmethod
    def _error_event(self, error: UpstreamError) -> bytes:
        """Write an error that ends the client's stream."""

    def _ending(self) -> bytes | None:
        """Return what completes a stream that may end here, None when it may not."""
        return None

    def _done(self, block: bytes) -> bytes:
        """Read the `[DONE]` that ends a stream in some dialects and that others ignore."""
        return block

    def _commit(self) -> None:
        """Say that the present event holds content."""
        self._is_committed = True
        self.content.add(self._block_bytes - self.framing_bytes)

    def _fail(self, error: UpstreamError, written: bytes | None = None) -> None:
        """End the stream in an error, in the provider's own words when they are `written`."""
        self._failure = error
        self._hold(self._error_event(error) if written is None else written)

    def _break(self, what: str, shown: str = "") -> None:
        self._fail(faults.unreadable(self._context.provider, what, shown.encode("utf-8", "replace")))

    def _whole(self, data: bytes) -> bytes | None:
        """Let a read pass that is nothing but whole blocks of content; None, with nothing taken, for others."""
        columns = columns_of(data, self.lines) if len(data) <= sse.EVENT_LIMIT_BYTES else None
        if columns is None:
            return None
        contents = self._contents(columns)
        if not contents or not all(contents):
            return None
        passed = self._passed(data, len(contents))
        if passed is not None:
            self._count([sum(map(len, lines)) + len(lines) + 1 for lines in zip(*columns, strict=True)])
        return passed

    def _take(self, blocks: list[bytes]) -> None:
        """Let runs of content pass, and read all other blocks."""
        contents = [*self._judged(blocks), False]
        at = 0
        while at < len(blocks) and self._failure is None:
            if contents[at] and self._is_committed:
                start, at = at, contents.index(False, at)
                self._take_run(blocks[start:at])
            else:
                self._take_one(blocks[at])
                at += 1

    def _judged(self, blocks: list[bytes]) -> Sequence[bool]:
        """Say of each block whether it is surely only content."""
        if not self.lines:
            return [False] * len(blocks)
        columns = columns_of(b"".join(blocks), self.lines)
        contents = None if columns is None else self._contents(columns)
        if (
            contents is None and len(blocks) > 1
        ):  # for one that is unusual, the others need not be read one by one
            return [bool(*self._judged([block])) for block in blocks]
        return [False] * len(blocks) if contents is None or len(contents) != len(blocks) else contents

    def _take_run(self, run: list[bytes]) -> None:
        passed = self._passed(b"".join(run), len(run))
        if passed is None:
            for block in run:
                self._take_one(block)
        else:
            self._held.append(passed)
            self._count(list(map(len, run)))

    def _count(self, sizes: list[int]) -> None:
        """Count blocks of content of these sizes."""
        framing = self.framing_bytes
        self.content.events += len(sizes)
        self.content.chars += sum([size - framing for size in sizes if size > framing])

    def _take_one(self, block: bytes) -> None:
        self._block_bytes = len(block)
        event = sse.parse(block)
        if event is None:
            self._hold(block)
        elif event.data.strip() == _DONE:
            self._hold(self._done(block))
        else:
            self._read(block, event)

    def _read(self, block: bytes, event: sse.SseEvent) -> None:
        try:
            value = jsontext.loads_text(event.data)
        except JsonError:
            value = None
        if isinstance(value, dict):
            self._hold(self._event(block, event, value))
        else:
            self._break("sent an event that is not JSON", event.data)

    def _take_last(self, rest: bytes) -> None:
        """Read what came after the last blank line: an event that misses its own, or one that was cut off."""
        try:
            event = sse.parse(rest)
            if event is not None and event.data.strip() != _DONE:
                jsontext.loads_text(event.data)
        except (sse.SseError, JsonError):
            return
        if event is not None:
            self._take([rest + (b"\n" if rest.endswith(b"\n") else b"\n\n")])
        elif self._is_finished or not rest.strip():
            self._hold(rest)

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        if self._is_committed or self._failure is not None:
            return
        self._held_bytes += len(data)
        if self._held_bytes > HELD_LIMIT_BYTES:
            self._break("sent no content for too long")

    def _released(self) -> bytes:
        if self._is_committed or self._failure is not None:
            data = b"".join(self._held) if self._is_committed else b""
            self._held.clear()
            return data
        return b""

    def _with_data(self, block: bytes, event: sse.SseEvent, data: bytes | None) -> bytes:
        """Put other data into a block, whose framing stays as it is where the data was on one line."""
        if data is None:
            return block
        old = event.data.encode()
        return block.replace(old, data, 1) if old in block else sse.encode(data, event.name)


def columns_of(blocks: bytes, count: int) -> list[list[bytes]] | None:
    """Return the first lines of all blocks, the second ones and so on; None unless each has as many as that, in UTF-8.

    Since a block ends with its only blank line, lines that are all in their places are those of their blocks.
    """
    lines = blocks.split(b"\n")
    columns = [lines[number : -1 : count + 1] for number in range(count + 1)]
    is_even = not lines[-1] and len(lines) % (count + 1) == 1 and not any(columns.pop())
    is_full = is_even and all(map(all, columns)) and b"\r" not in blocks and jsontext.is_utf_8(blocks)
    return columns if is_full else None


def decoded(decoder: Decoder[Told], texts: list[bytes]) -> list[Told] | None:
    """Decode JSON texts; None unless each is what the decoder wants."""
    try:
        return list(map(decoder.decode, texts))
    except (ValueError, RecursionError):
        return None
