"""Hears what comes on a socket while nobody is to read it: a pump does, and no task waits (`actors.pump`)."""

from collections.abc import Callable

import outcome

from actors.pump import Pump, Take


class Ear:
    """Hears from now on, until it is closed. `take` is given what comes, b"" at the end.

    When it has taken enough, or the socket fails, the ear closes, and `ended` is called; it must neither wait nor raise.
    """

    __slots__ = ("_descriptor", "_ended", "_is_open", "_pump", "busy_s", "take")

    def __init__(self, pump: Pump, descriptor: int, take: Take, ended: Callable[[], None]) -> None:
        self._pump = pump
        self._descriptor = descriptor
        self.take = take
        self._ended = ended
        self.busy_s = 0.0
        self._is_open = True
        pump.add(descriptor, self)

    def __repr__(self) -> str:
        return f"<Ear at descriptor {self._descriptor}{'' if self._is_open else ', closed'}>"

    def close(self) -> None:
        """Hear no more; before the socket is closed."""
        if self._is_open:
            self._is_open = False
            self._pump.remove(self._descriptor)

    def end(self, _how: "outcome.Outcome[None]") -> None:
        """Close, and say so; for the pump. Whoever reads next finds an end, also where it was a reset."""
        self.close()
        self._ended()
