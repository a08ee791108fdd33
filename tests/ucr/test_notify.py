import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from ucr.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """What systemd listens on, and where."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(5)
        yield path, receiver


def test_every_state_is_one_datagram(manager: tuple[str, socket.socket]) -> None:
    path, receiver = manager
    notifier = Notifier({"NOTIFY_SOCKET": path}, 1)
    notifier.ready("2 workers")
    notifier.reloading(1.5)
    notifier.stopping()
    assert [receiver.recv(1000).decode() for _ in range(3)] == [
        f"READY=1\nSTATUS=2 workers\nMAINPID={os.getpid()}",
        "RELOADING=1\nMONOTONIC_USEC=1500000",
        "STOPPING=1",
    ]


async def test_the_watchdog_is_fed_for_ever(autojump_clock: object, manager: tuple[str, socket.socket]) -> None:
    path, receiver = manager
    await Notifier({"NOTIFY_SOCKET": path}, 1).feed()
    with trio.move_on_after(2.5):
        await Notifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"}, 1).feed()
    assert [receiver.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3


def test_an_abstract_address_is_understood() -> None:
    name = f"ucr-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{name}")
        receiver.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}, 1).stopping()
        assert receiver.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_manager_nothing_is_said_and_nothing_fails(environ: dict[str, str]) -> None:
    Notifier(environ, 1).ready("x")


@pytest.mark.parametrize(
    ("environ", "every_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "20000000"}, 10.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "7"}, 10.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "8"}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_wants(environ: dict[str, str], every_s: float | None) -> None:
    assert Notifier(environ, 7).watchdog_s == every_s
