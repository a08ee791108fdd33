"""What may be read on behalf of a model."""

import ipaddress

import pytest

from ucr.bridges.reach import is_reachable, url_of


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_the_public_net_is_reachable(address: str) -> None:
    assert is_reachable(address, ())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::7f00:1",
        "fec0::1",
        "168.63.129.16",
        "::ffff:168.63.129.16",
        "192.0.0.192",
        "localhost",
        "",
    ],
)
def test_nothing_else_is(address: str) -> None:
    assert not is_reachable(address, ())


def test_but_for_networks_that_are_permitted() -> None:
    permitted = (ipaddress.ip_network("10.1.0.0/16"),)
    assert is_reachable("10.1.2.3", permitted)
    assert is_reachable("::ffff:10.1.2.3", permitted)
    assert not is_reachable("10.2.0.1", permitted)


@pytest.mark.parametrize("text", ["http://a.test", "https://a.test:8443/x?y=1#z", "https://[2606:2800::1]/"])
def test_addresses_of_the_web_are_taken(text: str) -> None:
    assert url_of(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "a.test",
        "ftp://a.test",
        "file:///etc/passwd",
        "http://",
        "http://a.test:0/",
        "http://a.test:99999/",
        "http://user:key@a.test/",
        "http://user@a.test/",
        "http://a.test/a b",
        "http://a.test\\@b.test/",
        "http://a.test/\r\nx: y",
        "http://ä.test/",
        "http://[::1",
    ],
)
def test_nothing_else_is_an_address(text: object) -> None:
    assert url_of(text) is None
