"""Whom a trusted proxy names, and that nobody else is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.forwarding import Proxies

PROXIES = Proxies(("10.0.0.0/8", "127.0.0.1", "2001:db8::/32"))


@pytest.mark.parametrize(
    ("address", "are"),
    [
        ("10.255.0.1", True),
        ("127.0.0.1", True),
        ("127.0.0.2", False),
        ("2001:db8::5", True),
        ("::ffff:10.0.0.1", True),
        ("192.0.2.1", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_a_proxy_is_known_by_its_address(address: str, are: bool) -> None:
    assert PROXIES.are_at(address) is are


def test_without_networks_nobody_is_a_proxy() -> None:
    assert not Proxies(())
    assert Proxies(()).client_of("10.0.0.1", {"x-forwarded-for": "192.0.2.1"}) == "10.0.0.1"
    assert repr(PROXIES) == "<Proxies 10.0.0.0/8, 127.0.0.1/32, 2001:db8::/32>"


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:5000", "192.0.2.1"),
        ("198.51.100.9, 192.0.2.1", "192.0.2.1"),
        ("evil, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, 10.1.1.1, 10.2.2.2", "192.0.2.1"),
        ("10.3.3.3, 10.1.1.1", "10.3.3.3"),
        ("192.0.2.1, unknown", "10.0.0.1"),
        ("192.0.2.1, unknown, 10.1.1.1", "10.1.1.1"),
        ("[2001:db9::7]:80", "2001:db9::7"),
        ("2001:DB9::7", "2001:db9::7"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("999.0.2.1", "10.0.0.1"),
        ("", "10.0.0.1"),
        (", ,", "10.0.0.1"),
    ],
)
def test_the_list_is_read_from_the_right_up_to_the_first_foreign_address(value: str, client: str) -> None:
    assert PROXIES.client_of("10.0.0.1", {"x-forwarded-for": value}) == client
    assert PROXIES.client_of("192.0.2.200", {"x-forwarded-for": value}) == "192.0.2.200"


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("for=192.0.2.1", "192.0.2.1"),
        ("For=192.0.2.1;proto=https;by=10.0.0.1", "192.0.2.1"),
        ('proto=https; for="[2001:db9::7]:4711"', "2001:db9::7"),
        ("for=198.51.100.9, for=192.0.2.1", "192.0.2.1"),
        ("for=192.0.2.1, for=10.1.1.1", "192.0.2.1"),
        ("for=_hidden", "10.0.0.1"),
        ("for=unknown, for=10.1.1.1", "10.1.1.1"),
        ("proto=https", "10.0.0.1"),
        ('for="192.0.2.1', "10.0.0.1"),
        ("xfor=192.0.2.1", "10.0.0.1"),
    ],
)
def test_the_standard_header_is_read_alike(value: str, client: str) -> None:
    assert PROXIES.client_of("10.0.0.1", {"forwarded": value}) == client


def test_two_headers_that_differ_are_both_not_believed() -> None:
    same = {"forwarded": "for=192.0.2.1", "x-forwarded-for": "198.51.100.9, 192.0.2.1"}
    other = {"forwarded": "for=192.0.2.1", "x-forwarded-for": "192.0.2.2"}
    assert PROXIES.client_of("10.0.0.1", same) == "192.0.2.1"
    assert PROXIES.client_of("10.0.0.1", other) == "10.0.0.1"


def test_other_headers_say_nothing() -> None:
    assert PROXIES.client_of("10.0.0.1", {"x-real-ip": "192.0.2.1"}) == "10.0.0.1"


def test_so_many_proxies_in_a_row_are_followed() -> None:
    chain = "192.0.2.1" + ", 10.1.1.1" * 19
    assert PROXIES.client_of("10.0.0.1", {"x-forwarded-for": chain}) == "192.0.2.1"
    assert PROXIES.client_of("10.0.0.1", {"x-forwarded-for": chain + ", 10.1.1.1"}) == "10.1.1.1"


@given(st.text(max_size=80), st.sampled_from(["forwarded", "x-forwarded-for"]))
def test_no_value_is_too_odd(value: str, name: str) -> None:
    assert PROXIES.client_of("10.0.0.1", {name: value})
