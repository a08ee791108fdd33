"""What a file says of itself in its first bytes: its kind, and the size of an image.

Sources: PNG 1.2 section 11.2.2 (IHDR), GIF89a section 18, ITU-T T.81 annex B (JPEG frame headers), RFC 9649
(WebP), ISO 32000-1 section 7.5.2 (PDF).
"""

import base64
import binascii

_IMAGES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_SNIFFED_CHARS = 32
HEAD_CHARS = 64 * 1024
"""As much base64 text as is decoded to find the size of an image: a JPEG's frame may follow large metadata."""

_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SEGMENTS_LIMIT = 64


def media_type(head: bytes) -> str | None:
    """Return the media type of an image or a PDF by its first bytes, or None."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _IMAGES if head.startswith(magic)), None)


def head_of(data: str, chars: int = _SNIFFED_CHARS) -> bytes | None:
    """Decode the first characters of base64 text; None when they are not base64."""
    part = data[: chars - chars % 4]
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def image_size(head: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, or None when the bytes do not tell."""
    match media_type(head):
        case "image/png":
            return _big(head, 16, 20, 4) if head[12:16] == b"IHDR" else None
        case "image/gif":
            return _little(head, 6, 8, 2)
        case "image/webp":
            return _webp(head)
        case "image/jpeg":
            return _jpeg(head)
        case _:
            return None


def _big(head: bytes, x: int, y: int, width: int) -> tuple[int, int] | None:
    if len(head) < y + width:
        return None
    return int.from_bytes(head[x : x + width], "big"), int.from_bytes(head[y : y + width], "big")


def _little(head: bytes, x: int, y: int, width: int) -> tuple[int, int] | None:
    if len(head) < y + width:
        return None
    return int.from_bytes(head[x : x + width], "little"), int.from_bytes(head[y : y + width], "little")


def _webp(head: bytes) -> tuple[int, int] | None:
    match head[12:16]:
        case b"VP8 ":
            size = _little(head, 26, 28, 2)
            return None if size is None else (size[0] & 0x3FFF, size[1] & 0x3FFF)
        case b"VP8L" if len(head) >= 25:
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            size = _little(head, 24, 27, 3)
            return None if size is None else (size[0] + 1, size[1] + 1)
        case _:
            return None


def _jpeg(head: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header, which holds height before width."""
    at = 2
    for _ in range(_JPEG_SEGMENTS_LIMIT):
        if len(head) < at + 9 or head[at] != 0xFF:
            return None
        if head[at + 1] in _FRAME_MARKERS:
            return _big(head, at + 7, at + 5, 2)
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None
