"""What every tap on a passing stream does, whatever the dialect: hold, commit, pass on, end.

How this works: bytes are cut into event blocks and each block is read as far as the dialect needs. Until the
commit point nothing goes out, so that a failure before it can be answered by another candidate; from there on
every read gives what it completed, the bytes unchanged. Because only whole blocks go out, a keep-alive may be
written between any two returns. An LF that may or may not have been read after a block's last CR is evened out,
so that any split gives the same bytes.

Nearly all blocks hold content and nothing else. A dialect says which ones do (`_contents`), of all blocks of a read at
once, by a typed decoder that checks everything and keeps next to nothing; they pass in runs, and only the others are
read one by one. A read of whole blocks that all have as many lines, as most are, is not even cut into blocks before.
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

    def lets_by(self, data: bytes) -> bool:
        """Return whether bytes need not be cut here; see `sse.Splitter.lets_by`."""
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
        self.is_committed = False
        self.is_finished = False
        self.is_finishing = False  # whoever passes bytes on waits for all of them
        self.is_at_boundary = True  # only whole events are returned
        self.failure: UpstreamError | None = None
        self._usage = Usage()
        self._stop_reason: str | None = None
        self._block_bytes = 0
        self.content = Content()

    def feed(self, data: bytes) -> bytes:
        """Take bytes; return what goes to the client, nothing before the commit point."""
        if self.failure is not None:
            return b""
        if self._splitter.lets_by(data) and self._take_even(data):
            return self._released()
        try:
            self._take(self._splitter.feed(data))
        except (sse.SseError, NdjsonError) as error:
            self._break(f"broke its stream: {error}")
        return self._released()

    def close(self) -> bytes:
        """Say that the bytes are at their end; return what is left, and an error event if the end is missing.

        Before the commit point nothing is returned: `failure` says what happened.
        """
        if self.failure is not None:
            return b""
        try:
            self._take_last(self._splitter.close())
        except (sse.SseError, NdjsonError) as error:
            self._break(f"broke its stream: {error}")
        if not self.is_finished and self.failure is None:
            ending = self._ending()
            if ending is None:
                self._fail(faults.cut_short(self._context.provider))
            else:
                self.is_finished = True
                self._held.append(ending)
        return self._released()

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
        self.is_committed = True
        self.content.add(self._block_bytes - self.framing_bytes)

    def _fail(self, error: UpstreamError, written: bytes | None = None) -> None:
        """End the stream in an error, in the provider's own words when they are `written`."""
        self.failure = error
        self._hold(self._error_event(error) if written is None else written)

    def _break(self, what: str, shown: str = "") -> None:
        self._fail(faults.unreadable(self._context.provider, what, shown.encode("utf-8", "replace")))

    def _take(self, blocks: list[bytes]) -> None:
        """Read blocks; when one of them is unusual, the others need not be read one by one for that."""
        if len(blocks) > 1 and self._take_even(b"".join(blocks)):
            return
        for block in blocks:
            if self.failure is not None:
                return
            if not self._take_even(block):
                self._take_one(block)

    def _take_even(self, blocks: bytes) -> bool:
        """Let runs of content pass, and read all other blocks; False, with nothing read, unless all are alike and sound."""
        height = self.lines + 1
        lines = even_lines(blocks, height) if height > 1 else None
        contents = None if lines is None else self._contents([lines[at::height] for at in range(self.lines)])
        if lines is None or contents is None:
            return False
        at, end = 0, len(contents)
        while at < end and self.failure is None:
            start, at = at, at + 1
            if not contents[start] or not self.is_committed:
                self._take_lines(lines[start * height : at * height])
                continue
            while at < end and contents[at]:
                at += 1
            self._take_run(lines[start * height : at * height], at - start)
        return True

    def _take_run(self, lines: list[bytes], count: int) -> None:
        blocks = b"\n".join(lines) + b"\n"
        passed = self._passed(blocks, count)
        if passed is None:
            for block in blocks.split(b"\n\n")[:-1]:
                self._take_one(block + b"\n\n")
            return
        self._held.append(passed)
        self.content.events += count
        if count == 1:
            self.content.chars += max(0, len(blocks) - self.framing_bytes)
        else:
            framing = self.framing_bytes - 2
            sizes = map(len, blocks.split(b"\n\n"))
            self.content.chars += sum([size - framing for size in sizes if size > framing])

    def _take_lines(self, lines: list[bytes]) -> None:
        """Read a block of UTF-8 that was cut into its lines; most are a name and data, or data alone."""
        block, name, data = b"\n".join(lines) + b"\n", lines[0], lines[-2]
        is_named = len(lines) == 3
        if data[:6] != b"data: " or len(lines) > 3 or (is_named and name[:7] != b"event: "):
            return self._take_one(block)
        return self._read(
            block, sse.SseEvent(name[7:].decode() or None if is_named else None, data[6:].decode())
        )

    def _take_one(self, block: bytes) -> None:
        event = sse.parse(block)
        if event is None:
            self._hold(block)
        else:
            self._read(block, event)

    def _read(self, block: bytes, event: sse.SseEvent) -> None:
        self._block_bytes = len(block)
        if event.data.strip() == _DONE:
            self._hold(self._done(block))
            return
        try:
            value = jsontext.loads(event.data.encode())
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
        elif self.is_finished or not rest.strip():
            self._hold(rest)

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        if self.is_committed or self.failure is not None:
            return
        self._held_bytes += len(data)
        if self._held_bytes > HELD_LIMIT_BYTES:
            self._break("sent no content for too long")

    def _released(self) -> bytes:
        if self.is_committed or self.failure is not None:
            data = b"".join(self._held) if self.is_committed else b""
            self._held.clear()
            return data
        return b""

    def _with_data(self, block: bytes, event: sse.SseEvent, data: bytes | None) -> bytes:
        """Put other data into a block, whose framing stays as it is where the data was on one line."""
        if data is None:
            return block
        old = event.data.encode()
        return block.replace(old, data, 1) if old in block else sse.encode(data, event.name)


def even_lines(blocks: bytes, height: int) -> list[bytes] | None:
    """Return the lines of blocks, which are `height` for each, its blank one included; None unless all have so many.

    Since a block ends with its only blank line, lines that are all in their places are those of their blocks.
    """
    lines = blocks.split(b"\n")
    if lines.pop() or len(lines) % height or any(lines[height - 1 :: height]) or b"\r" in blocks:
        return None
    is_full = lines.count(b"") * height == len(lines)
    return lines if is_full and (blocks.isascii() or jsontext.is_utf_8(blocks)) else None


def decoded(decoder: Decoder[Told], texts: list[bytes]) -> list[Told] | None:
    """Decode JSON texts; None unless each is what the decoder wants."""
    try:
        return list(map(decoder.decode, texts))
    except (ValueError, RecursionError):
        return None
