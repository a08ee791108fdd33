import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import ActorError, ActorStopped, Draining, Refusal, WireError
from actors.wire import Codec, FrameDecoder, frame


@dataclass(frozen=True, slots=True)
class Inner:
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    kind: Literal["small", "big"]
    inner: Inner
    table: Mapping[str, str]
    data: bytes = b""
    limit: float = math.inf


@dataclass(frozen=True, slots=True)
class Stranger:
    name: str


class Over(Refusal):
    """A refusal with something to count."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message, wait_s)
        self.wait_s = wait_s


class Odd(Refusal):
    def __init__(self, thing: object) -> None:
        super().__init__(thing)


CODEC = Codec((Note, Inner), (Over, Odd))
NOTE = Note("big", Inner(("a", "ü")), MappingProxyType({"k": "v"}), b"\x00\xff")


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(0, 300)))
def test_frames_come_out_however_the_bytes_are_cut(bodies: list[bytes], cuts: list[int]) -> None:
    data = b"".join(map(frame, bodies))
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    decoder = FrameDecoder()
    found = [body for start, end in pairwise(places) for body in decoder.feed(data[start:end])]
    assert (found, decoder.is_empty) == (bodies, True)


def test_half_a_frame_is_kept() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(frame(b"abc")[:5]) == []
    assert not decoder.is_empty


def test_a_frame_that_says_it_is_too_long_is_refused_before_it_comes() -> None:
    with pytest.raises(WireError, match="of 4294967295 bytes is longer than the limit of 10"):
        FrameDecoder(10).feed(b"\xff\xff\xff\xff")


def test_a_body_that_is_too_long_is_not_framed() -> None:
    with pytest.raises(WireError, match="a frame of 11 bytes"):
        frame(b"x" * 11, 10)


@pytest.mark.parametrize("message", [NOTE, Inner(()), None, True, 7, 1.5, math.inf, "words", b"\x00"])
def test_a_message_comes_back_as_it_was(message: object) -> None:
    assert CODEC.decode(*CODEC.encode(message)) == message


@pytest.mark.parametrize("message", [Stranger("x"), object(), ["a"]])
def test_what_is_not_in_the_codec_does_not_travel(message: object) -> None:
    with pytest.raises(WireError, match="is not in this codec"):
        CODEC.encode(message)


def test_a_field_that_is_no_plain_data_does_not_travel() -> None:
    with pytest.raises(WireError, match="Note cannot be written"):
        CODEC.encode(Note("big", Inner(()), {}, data=object()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("Stranger", b"\x80"),
        ("Note", b"\x80"),
        ("Note", b"\xc1"),
        ("", b"\xc1"),
        ("Inner", CODEC.encode(7)[1]),
    ],
)
def test_bytes_that_are_no_message_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(WireError):
        CODEC.decode(name, data)


@pytest.mark.parametrize("error", [Draining("no"), ActorStopped("gone"), Over("too much", 2.5)])
def test_an_error_comes_back_as_itself(error: ActorError) -> None:
    again = CODEC.decode_error(*CODEC.encode_error(error))
    assert (type(again), again.args) == (type(error), error.args)


def test_an_error_that_is_not_listed_comes_back_as_its_nearest_ancestor() -> None:
    class Unknown(Draining):
        pass

    again = CODEC.decode_error(*CODEC.encode_error(Unknown("why")))
    assert (type(again), str(again)) == (Draining, "why")
    foreign = CODEC.decode_error(*CODEC.encode_error(ZeroDivisionError("by nought")))
    assert (type(foreign), str(foreign)) == (ActorError, "by nought")


def test_an_error_whose_arguments_are_not_plain_comes_back_in_words() -> None:
    again = CODEC.decode_error(*CODEC.encode_error(Odd(math)))
    assert isinstance(again, Refusal)
    assert "module 'math'" in str(again)


@pytest.mark.parametrize("data", [b"\xc1", CODEC.encode(3)[1]])
def test_bytes_that_are_no_error_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        CODEC.decode_error("Draining", data)
