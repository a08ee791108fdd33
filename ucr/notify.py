"""Tells systemd how this service is: the sd_notify protocol, which is one datagram of text per message.

Source: sd_notify(3). Without NOTIFY_SOCKET in the environment nothing is said.
"""

import os
import socket
from collections.abc import Mapping

import trio


class Notifier:
    """`watchdog_s` is how often systemd wants to hear from us, or None."""

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _watchdog_s(environ, pid)

    def __repr__(self) -> str:
        return f"<Notifier to {self._address or 'nobody'}>"

    def say(self, *lines: str) -> None:
        """Send a message; a service manager that cannot be reached is no reason to fail."""
        if not self._address.startswith(("/", "@")):
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), address)
        except OSError:
            return

    def ready(self, status: str) -> None:
        self.say("READY=1", f"STATUS={status}", f"MAINPID={os.getpid()}")

    def reloading(self, monotonic_s: float) -> None:
        self.say("RELOADING=1", f"MONOTONIC_USEC={int(monotonic_s * 1_000_000)}")

    def stopping(self) -> None:
        self.say("STOPPING=1")

    async def feed(self) -> None:
        """Say as often as is wanted that the loop turns, for ever; return at once when nobody asks."""
        while self.watchdog_s is not None:
            self.say("WATCHDOG=1")
            await trio.sleep(self.watchdog_s)


def _watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """Return half of the time after which systemd believes that we hang, if it watches this process."""
    text, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not text.isdecimal() or int(text) == 0 or (whose and whose != str(pid)):
        return None
    return int(text) / 1_000_000 / 2
