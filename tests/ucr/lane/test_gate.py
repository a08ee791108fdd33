"""The gate: what is valid passes unchanged in any pieces, what is not stops it for good."""

import itertools

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.lane.gate import POISON, Gate
from ucr.stress.attacks import heads, wire

HOST = b"host: a\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
LENGTH = POST + b"content-length: 5\r\n\r\nHELLO"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n3;a=b\r\nHEL\r\n2\r\nLO\r\n0\r\nx: y\r\n\r\n"
FINE = {
    "one": GET,
    "several": GET + LENGTH + CHUNKED + GET,
    "chunks-then-length": CHUNKED + LENGTH,
    "no-body": POST + b"content-length: 0\r\n\r\n" + GET,
}
POISONED = {
    "at-first": b"",
    "after-a-request": GET,
    "in-a-size": POST + b"transfer-encoding: chunked\r\n\r\n3",
    "in-an-extension": POST + b"transfer-encoding: chunked\r\n\r\n0;a\r",
    "after-data": POST + b"transfer-encoding: chunked\r\n\r\n1\r\nA",
    "after-data-and-cr": POST + b"transfer-encoding: chunked\r\n\r\n1\r\nA\r",
    "in-a-trailer": POST + b"transfer-encoding: chunked\r\n\r\n0\r\nx: y",
    "before-a-trailer": POST + b"transfer-encoding: chunked\r\n\r\n0\r\n",
}


def passed(data: bytes, *cuts: int) -> tuple[bytes, int | None]:
    """Return what passes of these pieces, and the status of the refusal."""
    gate, found = Gate(), b""
    for start, end in itertools.pairwise([0, *sorted(cuts), len(data)]):
        found += gate.feed(data[start:end])
    return found, gate.refused.status if gate.refused else None


@pytest.mark.parametrize("data", FINE.values(), ids=FINE.keys())
@given(cuts=st.lists(st.integers(0, 300), max_size=6))
def test_what_is_valid_passes_unchanged_in_any_pieces(data: bytes, cuts: list[int]) -> None:
    assert passed(data, *(cut for cut in cuts if cut < len(data))) == (data, None)


@pytest.mark.parametrize(("data", "status"), heads.REFUSED.values(), ids=heads.REFUSED.keys())
def test_a_malformed_head_does_not_pass_and_nothing_after_it(data: bytes, status: int) -> None:
    assert passed(GET + data + GET) == (GET, status)
    assert passed(data + GET, 5, len(data))[0] == b""


FRAMINGS = {name: row.data for name, row in wire.FRAMINGS.items() if row.is_fault}


@pytest.mark.parametrize("data", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_a_hidden_request_does_not_pass_in_whatever_pieces(data: bytes) -> None:
    for cuts in ((), (len(data) // 2,), tuple(range(0, len(data), 7))):
        found, status = passed(data, *cuts)
        assert status is not None
        assert wire.HIDDEN not in found


def test_half_a_head_is_kept_until_it_is_whole() -> None:
    gate = Gate()
    assert not gate.is_reading_head
    assert gate.feed(GET[:10]) == b""
    assert gate.is_reading_head
    assert gate.feed(GET[10:]) == GET
    assert not gate.is_reading_head


@pytest.mark.parametrize("begun", POISONED.values(), ids=POISONED.keys())
def test_no_parser_goes_on_behind_the_poison(begun: bytes) -> None:
    server = h11.Connection(h11.SERVER)
    server.receive_data(begun + POISON)
    with pytest.raises(h11.RemoteProtocolError):
        while (event := server.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.EndOfMessage):
                server.send(h11.Response(status_code=204, headers=[]))
                server.send(h11.EndOfMessage())
                server.start_next_cycle()
