"""What two processes say to each other: frames on a stream, and messages in frames. Pure.

A frame is a length of four bytes, the most significant first, and that many bytes. What is in it is MessagePack
(https://msgpack.org), which unlike JSON has bytes and infinity. A message travels under the name of its class
and is built again only if the receiving side's codec lists that class: nothing that arrives chooses code to run.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from actors.errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskTimeout,
    Draining,
    MailboxFull,
    Refusal,
    WireError,
)

FRAME_LIMIT_BYTES = 16 * 1024 * 1024
_LENGTH_BYTES = 4
_ERRORS: tuple[type[ActorError], ...] = (
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskTimeout,
    Draining,
    MailboxFull,
    Refusal,
    WireError,
)


def frame(body: bytes, limit_bytes: int = FRAME_LIMIT_BYTES) -> bytes:
    """Return the body as a frame; raise `WireError` when it is too long for one."""
    if len(body) > limit_bytes:
        raise WireError(f"a frame of {len(body)} bytes is longer than the limit of {limit_bytes}")
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class FrameDecoder:
    """Takes bytes as they come, however they are cut, and gives whole frames."""

    def __init__(self, limit_bytes: int = FRAME_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()

    def __repr__(self) -> str:
        return f"<FrameDecoder {len(self._buffer)} bytes>"

    @property
    def is_empty(self) -> bool:
        """Whether the bytes so far end with a frame."""
        return not self._buffer

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that these bytes complete; raise `WireError` for one that is too long."""
        self._buffer += data
        frames: list[bytes] = []
        start = 0
        while len(self._buffer) - start >= _LENGTH_BYTES:
            body = start + _LENGTH_BYTES
            length = int.from_bytes(self._buffer[start:body], "big")
            if length > self._limit_bytes:
                raise WireError(f"a frame of {length} bytes is longer than the limit of {self._limit_bytes}")
            if len(self._buffer) < body + length:
                break
            frames.append(bytes(self._buffer[body : body + length]))
            start = body + length
        del self._buffer[:start]
        return frames


class Codec:
    """Writes and reads messages of a closed list of frozen dataclasses, and the errors that answer them.

    Both sides list the same. A field may hold plain data, bytes, mappings, tuples and other dataclasses, but no
    union of dataclasses. None, texts, numbers and bytes need no class. `errors` are refusals of the
    application: each is built again from its `args`, which must be plain.
    """

    def __init__(self, messages: Iterable[type], errors: Iterable[type[ActorError]] = ()) -> None:
        self._decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {
            kind.__name__: msgspec.msgpack.Decoder(kind) for kind in messages
        }
        self._errors = {kind.__name__: kind for kind in (*_ERRORS, *errors)}
        self._encode: Callable[[object], bytes] = msgspec.msgpack.Encoder(enc_hook=_plain).encode

    def __repr__(self) -> str:
        return f"<Codec of {', '.join(self._decoders)}>"

    def encode(self, message: object) -> tuple[str, bytes]:
        """Return the name and the bytes of a message; raise `WireError` for what cannot travel."""
        name = type(message).__name__
        if name not in self._decoders:
            if not isinstance(message, bool | int | float | str | bytes | None):
                raise WireError(f"{name} is not in this codec")
            name = ""
        try:
            return name, self._encode(message)
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            raise WireError(f"{name} cannot be written: {error}") from None

    def decode(self, name: str, data: bytes) -> Any:
        """Return the message; raise `WireError` for bytes that are not of it."""
        decoder = self._decoders.get(name)
        if decoder is None and name:
            raise WireError(f"{name[:60]!r} is not in this codec")
        try:
            return msgspec.msgpack.decode(data) if decoder is None else decoder.decode(data)
        except (msgspec.MsgspecError, ValueError) as error:
            raise WireError(f"{name} cannot be read: {error}") from None

    def encode_error(self, error: BaseException) -> tuple[str, bytes]:
        """Return the name and the bytes of an error: itself if it is listed, else its nearest listed ancestor."""
        name = type(error).__name__
        if self._errors.get(name) is type(error):
            try:
                return name, self._encode(list(error.args))
            except (TypeError, ValueError, msgspec.MsgspecError):
                pass  # its arguments are not plain: its words must do
        kinds = (kind for kind in type(error).__mro__ if self._errors.get(kind.__name__) is kind)
        return next(kinds, ActorError).__name__, self._encode([str(error) or repr(error)])

    def decode_error(self, name: str, data: bytes) -> ActorError:
        """Return the error, to be raised where it was asked; one that is not listed is an `ActorError`."""
        try:
            args = msgspec.msgpack.decode(data, type=list[Any])
            return self._errors.get(name, ActorError)(*args)
        except (msgspec.MsgspecError, TypeError) as error:
            raise WireError(f"the error {name[:60]!r} cannot be read: {error}") from None


def _plain(value: object) -> object:
    """Turn what MessagePack has no word for into what it has."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no plain data")
