"""One body that a pump reads: what comes from the socket, decrypted where that is necessary, goes to its reader."""

import trio

from actors.connection import Connection, cause_of
from actors.errors import PoolError
from actors.pump import Flow, Pump, Take
from actors.reader import AnswerReader
from actors.request import OnWait
from actors.tls_stream import TlsStream


async def flow(connection: Connection, reader: AnswerReader, pump: Pump, take: Take, on_wait: OnWait) -> float:
    """Give to `take` what comes of a body, without waking this task; return how many seconds were worked meanwhile.

    Ends when `take` wants no more, and when the connection's own ways are needed, for an end, a fault, or a word of
    TLS; what has come until then is in the reader. Raises `PoolError` when the connection breaks.
    """
    descriptor = connection.descriptor
    if descriptor is None:
        await trio.lowlevel.checkpoint()
        return 0.0
    flowing = Flow(pump, descriptor, _Body(reader, connection.tls, take).take)
    on_wait(flowing, "idle")
    try:
        await flowing.run()
    except (OSError, trio.BrokenResourceError) as error:
        raise PoolError("reset", f"the connection broke: {cause_of(error)}", phase="idle") from error
    return flowing.busy_s


class _Body:
    """What a pump reads is of this body, until it has ended."""

    __slots__ = ("_reader", "_take_body", "_tls")

    def __init__(self, reader: AnswerReader, tls: TlsStream | None, take_body: Take) -> None:
        self._reader = reader
        self._tls = tls
        self._take_body = take_body

    def take(self, data: bytes, now: float) -> bool:
        """Read what came from the socket; see `actors.pump.Take`."""
        reader, tls = self._reader, self._tls
        has_more = bool(data)
        if tls is not None:
            data = tls.feed(data)
            has_more = has_more and tls.is_settled
        elif not data:
            reader.feed_eof()
        if data:
            reader.feed(data)
        if not has_more or reader.is_complete or reader.fault is not None:
            return False
        body = reader.take()
        return not body or self._take_body(body, now)
