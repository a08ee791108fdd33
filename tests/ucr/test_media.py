import base64
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.media import head_of, image_size, media_type

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480)
GIF = b"GIF89a" + struct.pack("<HH", 320, 200)
WEBP = b"RIFF\0\0\0\0WEBP"
LOSSY = WEBP + b"VP8 " + bytes(10) + struct.pack("<HH", 0x4000 | 550, 368)
LOSSLESS = WEBP + b"VP8L" + bytes(4) + b"\x2f" + struct.pack("<I", (386 - 1) | (395 - 1) << 14)
EXTENDED = WEBP + b"VP8X" + bytes(8) + (99).to_bytes(3, "little") + (49).to_bytes(3, "little")
FRAME = b"\xff\xc2\0\x11\x08" + struct.pack(">HH", 480, 640)
JPEG = b"\xff\xd8" + b"\xff\xe0\0\x10" + bytes(14) + b"\xff\xc4\0\x04ab" + FRAME


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (PNG, "image/png"),
        (GIF, "image/gif"),
        (b"GIF87a", "image/gif"),
        (LOSSY, "image/webp"),
        (JPEG, "image/jpeg"),
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"hello", None),
        (b"", None),
    ],
)
def test_a_file_is_known_by_its_first_bytes(head: bytes, kind: str | None) -> None:
    assert media_type(head) == kind


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (PNG, (640, 480)),
        (GIF, (320, 200)),
        (LOSSY, (550, 368)),
        (LOSSLESS, (386, 395)),
        (EXTENDED, (100, 50)),
        (JPEG, (640, 480)),
        (b"%PDF-1.7", None),
        (b"\xff\xd8\xff\xda\0\x04ab", None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x04gAMA", None),
        (WEBP + b"ALPH", None),
    ],
)
def test_an_image_tells_its_size(head: bytes, size: tuple[int, int] | None) -> None:
    assert image_size(head) == size


@pytest.mark.parametrize("whole", [PNG, GIF, LOSSY, LOSSLESS, EXTENDED, JPEG])
def test_an_image_cut_short_tells_nothing(whole: bytes) -> None:
    assert all(image_size(whole[:length]) is None for length in range(len(whole)))


def test_a_jpeg_of_endless_segments_is_given_up() -> None:
    assert image_size(b"\xff\xd8" + b"\xff\xe0\0\x02" * 1000 + FRAME) is None


@settings(max_examples=100)
@given(st.sampled_from([PNG, GIF, LOSSY, JPEG, b"\xff\xd8\xff"]), st.binary(max_size=60))
def test_any_bytes_have_a_size_or_none(head: bytes, rest: bytes) -> None:
    size = image_size(head[:14] + rest)
    assert size is None or min(size) >= 0


@pytest.mark.parametrize("data", [base64.b64encode(PNG).decode(), base64.b64encode(PNG).decode().rstrip("=")])
def test_the_head_of_base64_text_is_decoded(data: str) -> None:
    assert head_of(data) == PNG[:24]
    assert head_of(data, 12) == PNG[:9]


def test_padding_may_be_missing_at_the_very_end() -> None:
    assert head_of("QUI") == b"AB"


@pytest.mark.parametrize("data", ["%%%%", "a", "AAAA\nAAAA", "ÄÄÄÄ"])
def test_what_is_not_base64_has_no_head(data: str) -> None:
    assert head_of(data) is None
