"""Claude's own events as Amazon packs them: each the base64 of one event's JSON, in a message of its event stream.

They are unpacked into the blocks of the Messages API's own streams, so that all who read those read these.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from types import MappingProxyType

from ucr import jsontext, sse
from ucr.dialects.bedrock.exceptions import status_of, words_of
from ucr.dialects.bedrock.frames import Frame, FrameError, FrameReader
from ucr.errors import STATUS_OF
from ucr.jsontext import JsonError, JsonObject

_CHUNK = "chunk"
_METRICS = "amazon-bedrock-invocationMetrics"
"""What Amazon adds to the last event; the same counters stand in the events themselves."""

_NAME = re.compile(rb'\{ *"type" *: *"([a-z_]+)"')
_TYPES: Mapping[int, str] = MappingProxyType(
    {status: name for name, status in STATUS_OF} | {408: "timeout_error", 503: "overloaded_error"}
)


class ChunkSplitter:
    """Cuts the bytes of an event stream into the blocks of server-sent events that it holds.

    What cannot be read is an `SseError`: at once, or at the next call where whole events stood before it.
    """

    def __init__(self) -> None:
        self._frames = FrameReader()
        self._failure: str | None = None

    def lets_by(self, data: bytes) -> bool:
        """Return False: all that comes is cut."""
        return False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the blocks completed by them."""
        if self._failure is not None:
            raise sse.SseError(self._failure)
        blocks: list[bytes] = []
        try:
            for frame in self._frames.feed(data):
                blocks += _blocks(frame)
        except (FrameError, sse.SseError) as error:
            self._failure = str(error)
            if not blocks:
                raise sse.SseError(self._failure) from None
        return blocks

    def close(self) -> bytes:
        """Return nothing: half a message says nothing."""
        if self._failure is not None:
            raise sse.SseError(self._failure)
        try:
            self._frames.close()
        except FrameError as error:
            raise sse.SseError(str(error)) from None
        return b""


class ChunkDecoder:
    """Reads the same as events, as `sse.Decoder` does."""

    def __init__(self) -> None:
        self._splitter = ChunkSplitter()

    def feed(self, data: bytes) -> list[sse.SseEvent]:
        """Return the events completed by these bytes."""
        return [event for block in self._splitter.feed(data) if (event := sse.parse(block)) is not None]

    def close(self) -> list[sse.SseEvent]:
        """Return nothing, as the splitter does."""
        self._splitter.close()
        return []


def _blocks(frame: Frame) -> list[bytes]:
    if frame.exception:
        return [_error(frame)]
    if frame.event != _CHUNK:
        return []
    text = _unpacked(frame.payload)
    match = _NAME.match(text)
    if match is not None and b"\n" not in text and b"\r" not in text and _METRICS.encode() not in text:
        return [sse.encode(text, match[1].decode())]
    return _rewritten(text)


def _unpacked(payload: bytes) -> bytes:
    try:
        packed = jsontext.loads(payload)["bytes"]
        text = base64.b64decode(packed)
        text.decode()
    except (JsonError, binascii.Error, ValueError, KeyError, TypeError):
        raise sse.SseError("a message holds no event") from None
    return text


def _rewritten(text: bytes) -> list[bytes]:
    """Write an event anew whose JSON begins with something else than its type, or has more in it than is ours."""
    try:
        value = jsontext.loads(text)
    except JsonError:
        value = None
    if not isinstance(value, dict):
        return [sse.encode(b" ".join(text.split()), None)]
    kind = value.get("type")
    kept = {key: item for key, item in value.items() if key != _METRICS}
    name = kind if isinstance(kind, str) and kind.isidentifier() and kind.isascii() else None
    return [sse.encode(jsontext.dumps(kept), name)]


def _error(frame: Frame) -> bytes:
    status = status_of(frame.exception)
    message = words_of(frame.payload) or frame.headers.get(":error-message", "") or frame.exception
    error: JsonObject = {"type": _TYPES.get(status, "api_error"), "message": message}
    return sse.encode(jsontext.dumps({"type": "error", "error": error}), "error")
