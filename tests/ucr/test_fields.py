import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.fields import fault_of, joined, one_line

HOST = ("host", "127.0.0.1")


def test_fields_of_one_name_are_joined() -> None:
    assert joined([("a", "1"), ("b", "2"), ("a", "3")]) == {"a": "1, 3", "b": "2"}


@given(st.text())
def test_every_value_becomes_one_line_of_latin_1(value: str) -> None:
    line = one_line(value)
    assert line == line.strip()
    assert all(char.isprintable() for char in line)
    assert line.encode("latin-1").decode("latin-1") == line


def test_a_plain_value_stays_as_it_is() -> None:
    assert one_line("a  b; c=1") == "a  b; c=1"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([HOST], None),
        ([], 400),
        ([HOST, HOST], 400),
        ([HOST, ("content-length", "2"), ("transfer-encoding", "chunked")], 400),
        ([HOST] + [("a", "1")] * 99, None),
        ([HOST] + [("a", "1")] * 100, 431),
        ([HOST, ("a", "1" * 65_536)], 431),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(fields: list[tuple[str, str]], status: int | None) -> None:
    fault = fault_of(fields)
    assert (fault.status if fault else None) == status
