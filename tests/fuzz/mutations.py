"""How bytes are spoiled: a few small changes by dice, of the kinds that break parsers. Pure.

The kinds are those of AFL's havoc stage: bits, bytes, pieces cut out, doubled, moved or taken from another input, and
words that mean something to a parser.
"""

from collections.abc import Sequence
from random import Random

TOKENS = (
    b"\n",
    b"\r\n",
    b"\r",
    b"\n\n",
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b'"\\ud800"',
    b"\\u0000",
    b"data: ",
    b"event: ",
    b"data: [DONE]\n\n",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"NaN",
    b"18446744073709551616",
    b"[" * 200,
    b'{"a":' * 200,
    b"{}",
    b"[]",
    b'""',
    b"content-length: 1\r\n",
    b"transfer-encoding: chunked\r\n",
    b"\xe2\x80\xa8",
)
MOST_BYTES = 64 * 1024


def spoil(data: bytes, others: Sequence[bytes], dice: Random) -> bytes:
    """Return the bytes after one to six changes, `MOST_BYTES` of them at most."""
    for _ in range(dice.randint(1, 6)):
        data = _spoil_once(data, others, dice)[:MOST_BYTES]
    return data


def _spoil_once(data: bytes, others: Sequence[bytes], dice: Random) -> bytes:
    at, size = dice.randint(0, len(data)), dice.choice((1, 1, 2, 4, 16, 64, 256))
    before, piece, after = data[:at], data[at : at + size], data[at + size :]
    match dice.randrange(8):
        case 0:
            return before + bytes(byte ^ (1 << dice.randrange(8)) for byte in piece) + after
        case 1:
            return before + dice.randbytes(len(piece)) + after
        case 2:
            return before + after
        case 3:
            return before + piece * dice.choice((2, 3, 40)) + after
        case 4:
            there = dice.randint(0, len(after))
            return before + after[:there] + piece + after[there:]
        case 5:
            other = dice.choice(others)
            start = dice.randint(0, len(other))
            return before + other[start : start + size] + data[at:]
        case 6:
            return before + dice.choice(TOKENS) + after
        case _:
            return before + dice.choice(TOKENS) + data[at:]
