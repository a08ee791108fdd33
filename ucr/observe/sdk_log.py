"""What the SDK of OpenTelemetry says of its troubles, in the router's log: it would write plain text between the lines.

How this works. The SDK uses the logging of the standard library, and much of it in threads of its own. What it says is
kept until the loop has a moment, since the log may be used there alone.
"""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trio

from ucr.logs import Log

ROOT = "opentelemetry"
MAX_WAITING = 100
"""So much may wait for the loop; of more, the oldest is left out."""


class SdkLog(logging.Handler):
    """Writes what the SDK logs, at least warnings, as `otel.warned`. Made in the loop that has the log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._token = trio.lowlevel.current_trio_token()
        self._waiting: deque[tuple[str, str, str | None]] = deque(maxlen=MAX_WAITING)

    def __repr__(self) -> str:
        return f"<SdkLog with {len(self._waiting)} that wait>"

    def emit(self, record: logging.LogRecord) -> None:
        error = None if record.exc_info is None else repr(record.exc_info[1])
        self._waiting.append((record.name, record.getMessage(), error))
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self.tell, idempotent=True)

    def tell(self) -> None:
        """Write what waits."""
        while self._waiting:
            logger, message, error = self._waiting.popleft()
            self._log.warning("otel.warned", logger=logger, message=message, error=error)


@contextmanager
def sdk_in(log: Log) -> Iterator[None]:
    """Write in the block into this log what the SDK says, and nowhere else."""
    handler, logger = SdkLog(log), logging.getLogger(ROOT)
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates
        handler.tell()
