"""No test reaches beyond the machine, by accident or otherwise."""

import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80, 0, 0)])
def test_a_connection_that_would_leave_the_machine_is_an_error(address: tuple[object, ...]) -> None:
    family = socket.AF_INET6 if len(address) == 4 else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(RuntimeError, match="loopback"):
        client.connect(address)
