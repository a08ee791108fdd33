"""Sealed entries: what is kept outside of the process, such that nobody else can put anything in its place. Pure.

How this works. A seal holds when an entry was put there, its tags, the entry, and before all of it a keyed digest
(HMAC-SHA-256, half of it) over these and the key under which the entry stands. Whatever was cut, damaged, written
by a stranger or put under another key does not open, and so is a miss. Nothing is encrypted: who can read the place
can read the entries.
"""

import hmac
from dataclasses import dataclass

_VERSION = b"\x01"
_DIGEST_BYTES = 16
_TIME_BYTES = 8
_LENGTH_BYTES = 2
_TAGS_AT = _DIGEST_BYTES + len(_VERSION) + _TIME_BYTES + _LENGTH_BYTES

MAX_TAGS_BYTES = 2**12
"""Tags that are longer than this together are not kept."""
HEAD_BYTES = _TAGS_AT + MAX_TAGS_BYTES
"""From so many bytes of a sealed entry its tags can be read."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in a seal; `at_s` is when it was sealed, on the clock on the wall."""

    entry: bytes
    at_s: float
    tags: tuple[str, ...]


def seal(secret: bytes, key: bytes, entry: bytes, tags: tuple[str, ...], now_s: float) -> bytes | None:
    """Return an entry under seal; None when its tags are too long. `now_s` is the time on the wall."""
    written = "\n".join(tags).encode()
    if len(written) > MAX_TAGS_BYTES:
        return None
    millis = max(0, int(now_s * 1000)).to_bytes(_TIME_BYTES, "big")
    head = _VERSION + millis + len(written).to_bytes(_LENGTH_BYTES, "big") + written
    return b"".join((_digest(secret, key, head, entry), head, entry))


def open_seal(secret: bytes, key: bytes, sealed: bytes) -> Opened | None:
    """Return what is in a seal; None when it was not made with this secret for this key, or is damaged."""
    if len(sealed) < _TAGS_AT or not sealed.startswith(_VERSION, _DIGEST_BYTES):
        return None
    end = _TAGS_AT + int.from_bytes(sealed[_TAGS_AT - _LENGTH_BYTES : _TAGS_AT], "big")
    head, entry = sealed[_DIGEST_BYTES:end], sealed[end:]
    if not hmac.compare_digest(sealed[:_DIGEST_BYTES], _digest(secret, key, head, entry)):
        return None
    time_at = _DIGEST_BYTES + len(_VERSION)
    millis = int.from_bytes(sealed[time_at : time_at + _TIME_BYTES], "big")
    return Opened(entry, millis / 1000, tags_of(sealed))


def tags_of(sealed: bytes) -> tuple[str, ...]:
    """Return the tags of a sealed entry, of which the first `HEAD_BYTES` are enough, without opening it."""
    end = _TAGS_AT + int.from_bytes(sealed[_TAGS_AT - _LENGTH_BYTES : _TAGS_AT], "big")
    written = sealed[_TAGS_AT:end].decode("utf-8", "replace")
    return tuple(written.split("\n")) if written else ()


def _digest(secret: bytes, key: bytes, head: bytes, entry: bytes) -> bytes:
    """Digest all parts. The key's length stands before it, and that of the head follows from what is in it."""
    digest = hmac.new(secret, len(key).to_bytes(_LENGTH_BYTES, "big"), "sha256")
    for part in (key, head, entry):
        digest.update(part)
    return digest.digest()[:_DIGEST_BYTES]
