"""Carries a stream that goes on evenly, without waking the request's task for each event.

How this works. Once a stream is committed, most of it is a few bytes after another, each of which is read, translated
and taken by the client's socket at once. A pump does this for all streams of the process (`actors.pump`), by a plain
call of `Carrier` for each read. With the first thing that is not so, an error, an end, a client that reads too slowly,
the task goes on in its own way, where all of that is decided.
"""

from ucr.call import Call
from ucr.dialects.roles import Tap
from ucr.observe.gaps import StreamGaps
from ucr.upstream import Answer


class Carrier:
    """Carries one stream as long as it goes on evenly. What is not content for `idle_s` is silence.

    `gaps` is told of all content that it carries. `last` is the part in which the stream came to its end, which is left
    to be sent with it.
    """

    __slots__ = ("_answer", "_content", "_delivery", "_gaps", "_idle_s", "_pump", "_tap", "last")

    def __init__(self, call: Call, answer: Answer, tap: Tap, idle_s: float, gaps: StreamGaps) -> None:
        self._pump = call.router.pump
        self._delivery = call.delivery
        self._answer = answer
        self._tap = tap
        self._content = tap.content
        self._idle_s = idle_s
        self._gaps = gaps
        self.last = b""

    def __repr__(self) -> str:
        return f"<Carrier of {self._answer!r}>"

    @property
    def can_carry(self) -> bool:
        """True when nothing out of the ordinary stands against it just now."""
        return (
            self._tap.is_committed
            and not self._tap.is_finishing
            and not self._answer.is_ready
            and self._answer.can_flow(self._pump)
            and self._delivery.can_write_now()
        )

    async def carry(self, content_until: float) -> None:
        """Carry until the task is to go on itself; raise `UpstreamError` for every failure of the provider."""
        await self._answer.flow(self._pump, self._take, content_until)
        await self._delivery.drain()

    def _take(self, data: bytes, now_s: float) -> bool:
        """Deliver what came; False when it is not all taken, or nothing like it follows."""
        tap, content = self._tap, self._content
        events = content.events
        written = tap.feed(data)
        if content.events != events:
            self._answer.watchdog.content_until = now_s + self._idle_s
            self._gaps.saw(content.events, now_s)
        if tap.is_finished or tap.failure is not None:
            self.last = written
            return False
        is_taken = not written or self._delivery.write_now(written, now_s)
        return is_taken and not tap.is_finishing
