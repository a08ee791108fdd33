import h11
import pytest

from ucr.stress.attacks.heads import ACCEPTED, ALL, LANE_ONLY, REFUSED, get


def test_a_request_has_its_line_its_fields_and_an_end() -> None:
    assert get(b"host: a\r\n", b"PUT /x HTTP/1.1") == b"PUT /x HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted_is_read_by_another_parser_as_well(name: str) -> None:
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=100_000)
    parser.receive_data(ACCEPTED[name])
    assert isinstance(parser.next_event(), h11.Request)


def test_all_are_all_and_the_differences_are_of_the_refused() -> None:
    assert len(ALL) == len(ACCEPTED) + len(REFUSED)
    assert REFUSED.keys() >= LANE_ONLY
