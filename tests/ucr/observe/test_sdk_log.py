"""What the SDK of OpenTelemetry says comes as lines of the log, and nowhere else."""

import json
import logging
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ucr.logs import make_log
from ucr.observe.sdk_log import MAX_WAITING, ROOT, SdkLog, sdk_in

SECRET = "planted-secret-123"


class Told:
    """A log and what is in it, but for the time."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.log = make_log("info", [SECRET], [self._write], lambda: datetime(2026, 11, 27, tzinfo=UTC))

    def _write(self, line: bytes) -> None:
        told = json.loads(line)
        del told["timestamp"]
        self.lines.append(told)


def line(message: str, error: str | None = None, logger: str = f"{ROOT}.sdk") -> dict[str, Any]:
    said = {"level": "warning", "event": "otel.warned"}
    return {**said, "logger": logger, "message": message, "error": error}


async def test_what_it_says_in_the_loop_or_in_a_thread_is_a_line_without_secrets(
    autojump_clock: MockClock, capfd: pytest.CaptureFixture[str]
) -> None:
    told, sdk = Told(), logging.getLogger(f"{ROOT}.sdk")
    with sdk_in(told.log):
        sdk.warning("queue of %d is full", 7)
        await trio.to_thread.run_sync(partial(sdk.error, "not sent: %s", SECRET))
        sdk.info("of no matter")
        try:
            raise OSError("no way")
        except OSError:
            sdk.exception("failed")
        await wait_all_tasks_blocked()
        assert told.lines == [
            line("queue of 7 is full"),
            line("not sent: [redacted]"),
            line("failed", "OSError('no way')"),
        ]
    assert capfd.readouterr() == ("", "")


async def test_the_last_words_come_too_and_then_all_is_as_before(autojump_clock: MockClock) -> None:
    told, sdk = Told(), logging.getLogger(ROOT)
    before = (tuple(sdk.handlers), sdk.propagate)
    with sdk_in(told.log):
        sdk.warning("last words")
    assert told.lines == [line("last words", logger=ROOT)]
    assert (tuple(sdk.handlers), sdk.propagate) == before


async def test_what_waits_for_the_loop_is_bounded(autojump_clock: MockClock) -> None:
    told = Told()
    handler = SdkLog(told.log)
    for number in range(MAX_WAITING + 5):
        handler.handle(logging.LogRecord(ROOT, logging.WARNING, "", 0, str(number), None, None))
    assert (told.lines, repr(handler)) == ([], f"<SdkLog with {MAX_WAITING} that wait>")
    await wait_all_tasks_blocked()
    assert [one["message"] for one in told.lines] == [str(number) for number in range(5, MAX_WAITING + 5)]
