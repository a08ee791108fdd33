"""What is told of a request when it ends: through the router, into the file of the journal."""

import gc
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, cast

import pytest
import trio
from trio.testing import MockClock

from actors import Mailbox, Metrics, MetricsSnapshot, Ref, open_supervisor
from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.call import Router as Surroundings
from ucr.clerk import Clerk
from ucr.config.model import Config, Journal
from ucr.dialects.roles import Summary
from ucr.errors import ApiError
from ucr.events import Usage
from ucr.exchange import Exchange
from ucr.journal.entry import Entry
from ucr.journal.file import NAME
from ucr.journal.reading import Found, Reader, Wanted
from ucr.logs import make_log
from ucr.record import Record, Tried
from ucr.reporting import GATHER_S, MOST, MOST_BYTES, Reporter
from ucr.secret import Secret
from ucr.usage import UsageRow

pytestmark = pytest.mark.usefixtures("both_lanes")
A, B = provider("a", "anthropic"), provider("b", "openai-chat")
ASK = {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
SAYS = answers.says(200, answers.anthropic_reply())
KEY = "sk-ant-planted0123456789"


def all_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def kept_in(folder: Path) -> list[Found]:
    return Reader(folder / NAME).latest(Wanted(), 99)


async def ask_once(
    folder: Path, config: Config, body: object, headers: dict[str, str] | None = None, **up: Any
) -> Any:
    async with open_router(config, folder=folder, **up) as world:
        return await world.ask("/v1/messages", body, headers=headers or {})


async def test_the_entry_says_what_the_log_says_and_why(autojump_clock: object, tmp_path: Path) -> None:
    async with open_router(
        config_of(A, B), folder=tmp_path, a=answers.says(503, {}), b=answers.says(200, answers.chat_reply("ok"))
    ) as world:
        heard = await world.ask("/v1/messages", ASK)
        await world.wait_finished(1)
        line = world.finished[0]
    (found,) = kept_in(tmp_path)
    account = found.account
    assert found.entry.request_id == heard.headers["request-id"]
    assert {name: account[name] for name in account.keys() & line.keys()} == {
        name: line[name] for name in account.keys() & line.keys()
    }
    assert account["considered"] == ["a/a-model (default, optimal)", "b/b-model (default, optimal)"]
    assert [tried.split(":")[0] for tried in account["tried"]] == ["a/a-model"]
    assert (found.entry.provider, found.entry.status, found.entry.is_error) == ("b", 200, False)
    assert (found.entry.request, found.entry.answer) == (None, None)


async def test_a_request_that_fails_is_an_error_and_one_that_is_none_is_not_kept(
    autojump_clock: object, tmp_path: Path
) -> None:
    async with open_router(config_of(A), folder=tmp_path, a=SAYS) as world:
        await world.ask("/health", method="GET")
        await world.ask("/v1/messages", b"{")
    (found,) = kept_in(tmp_path)
    assert (found.entry.status, found.entry.is_error) == (400, True)
    assert found.account["error_type"] == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
async def test_bodies_are_kept_as_they_were_asked_and_answered(
    autojump_clock: object, tmp_path: Path, stream: bool
) -> None:
    config = config_of(A, journal=Journal(bodies=True))
    up = answers.streams(answers.anthropic_text("Hel", "lo")) if stream else SAYS
    heard = await ask_once(tmp_path, config, {**ASK, "stream": stream}, {"anthropic-beta": "x-1"}, a=up)
    (found,) = kept_in(tmp_path)
    assert json.loads(found.entry.request or "") == {**ASK, "stream": stream}
    assert (found.entry.answer or "").encode() == heard.body
    assert (found.account["path"], found.account["cut"]) == ("/v1/messages", [])
    assert found.account["headers"] == {"anthropic-beta": "x-1", "content-type": "application/json"}


async def test_of_a_large_body_only_the_beginning_is_kept(autojump_clock: object, tmp_path: Path) -> None:
    config = config_of(A, journal=Journal(bodies=True, body_bytes=1024))
    await ask_once(tmp_path, config, {**ASK, "system": "x" * 5000}, a=SAYS)
    (found,) = kept_in(tmp_path)
    assert len(found.entry.request or "") == 1024
    assert found.account["cut"] == ["request"]


async def test_of_a_query_only_what_asks_for_a_form_is_kept(autojump_clock: object, tmp_path: Path) -> None:
    config = config_of(A, journal=Journal(bodies=True))
    async with open_router(config, folder=tmp_path, a=SAYS) as world:
        await world.ask("/v1/messages?key=of-no-known-form&beta=true", ASK)
    (found,) = kept_in(tmp_path)
    assert found.account["query"] == "beta=true"
    assert b"of-no-known-form" not in all_of(tmp_path)


async def test_no_secret_is_kept_wherever_it_stood(autojump_clock: object, tmp_path: Path) -> None:
    known = "a-key-of-no-known-form"
    config = config_of(A, journal=Journal(bodies=True), secrets=(Secret(known),))
    said = answers.says(400, {"error": {"type": "x", "message": f"no {KEY} and no {known}"}})
    body = {**ASK, "model": f"m-{known}", "system": f"my key is {KEY} and {known}"}
    headers = {"x-api-key": KEY, "authorization": f"Bearer {KEY}", "user-agent": f"agent {known}"}
    await ask_once(tmp_path, config, body, headers, a=said)
    assert kept_in(tmp_path)
    written = all_of(tmp_path)
    assert KEY.encode() not in written
    assert known.encode() not in written


async def test_without_a_journal_nothing_is_kept(autojump_clock: object, tmp_path: Path) -> None:
    await ask_once(tmp_path, config_of(A, journal=Journal(enabled=False)), ASK, a=SAYS)
    assert not (tmp_path / NAME).exists()


async def test_who_leaves_is_told_of_as_gone(autojump_clock: object, tmp_path: Path) -> None:
    async def leave(world: World) -> None:
        visitor = await world.connect()
        await visitor.send("/v1/messages", {**ASK, "stream": True})
        await visitor.next()
        await visitor.stream.aclose()
        await world.wait_finished(1)

    async with open_router(
        config_of(A), folder=tmp_path, a=answers.streams(answers.anthropic_text("a", "b"), pause_s=100.0)
    ) as world:
        await leave(world)
    (found,) = kept_in(tmp_path)
    assert found.account["error_type"] == "client_gone"


MOST_CALLS = 21
"""How many functions of Python the end of a request may call, with accounts and a journal."""


def calls_of(act: Callable[[], object]) -> int:
    """Return how many functions of Python this calls, but for those of what others have left to be collected."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    gc.disable()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
        gc.enable()
    return calls


def ended(number: int) -> Record:
    """The account of a request that differs from others in what no two have in common."""
    return Record(
        *(f"req_{number}", "0", 0.1 * number, lambda: 0.05),
        peer="127.0.0.1:7000",
        dialect="anthropic",
        provider="a",
        model_asked="claude-x",
        model_used="a-model",
        route="default",
        tier="optimal",
        attempts=1,
        status=200,
        first_byte_s=0.1 * number + 0.05,
        summary=Summary(Usage(input_tokens=11 + number, output_tokens=7), "end_turn"),
    )


class Ending:
    """A reporter, and the ends of requests of which it is to tell: `lines` are what it has told, by request."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        keeper: Ref[Any] = Ref(Mailbox("keeper", capacity=1))
        self.accounts = Clerk[UsageRow](keeper, "accounts", lambda notes: notes, 1_000_000)
        self.journal = Clerk[Entry](keeper, "journal", lambda notes: notes, 1_000_000)
        self.metrics = Metrics()
        log = make_log(
            "info", ["local-key-123"], [self._written.append], lambda: datetime(2026, 11, 27, tzinfo=UTC)
        )
        self.reporter = Reporter(log, self.metrics.ref, self.accounts, self.journal)
        self._router = Surroundings(config_of(A), {}, {}, lambda: 1_000.5)

    @property
    def lines(self) -> list[str]:
        return [json.loads(line)["request_id"] for line in self._written]

    def end(self, number: int, **changes: Any) -> None:
        record = ended(number)
        for name, value in changes.items():
            setattr(record, name, value)
        self.report(record)

    def report(self, record: Record) -> None:
        exchange = cast(Exchange, SimpleNamespace(sent_bytes=9, is_finished=True))
        self.reporter.report(exchange, record, self._router)


def names(*numbers: int) -> list[str]:
    return [f"req_{number}" for number in numbers]


async def test_the_end_of_a_request_calls_few_functions_whatever_is_told_of_it(
    autojump_clock: MockClock,
) -> None:
    ending = Ending()

    def end_most() -> int:
        return sum(calls_of(partial(ending.report, record)) for record in [ended(n) for n in range(MOST)])

    ending.end(99)
    first = end_most()
    assert end_most() == first <= MOST * MOST_CALLS
    assert len(ending.lines) == 2 * MOST + 1
    told = f"with {2 * MOST + 1} notes"
    assert (repr(ending.accounts), repr(ending.journal)) == (
        f"<Clerk accounts {told}>",
        f"<Clerk journal {told}>",
    )


async def test_the_first_is_told_of_at_once_and_those_that_follow_soon_together(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ending = Ending()
    nursery.start_soon(ending.reporter.run)
    for _ in range(2):
        began, told = trio.current_time(), len(ending.lines)
        ending.end(1)
        assert len(ending.lines) == told + 1
        await trio.sleep(GATHER_S / 2)
        ending.end(2)
        ending.end(3)
        assert len(ending.lines) == told + 1
        assert repr(ending.reporter) == "<Reporter with 2 requests to tell of>"
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep_until(began + GATHER_S)
        await trio.testing.wait_all_tasks_blocked()
        assert ending.lines[told:] == names(1, 2, 3)
        await trio.sleep(1)
    nursery.cancel_scope.cancel()


async def test_no_more_wait_than_a_few_and_none_that_are_long(autojump_clock: MockClock) -> None:
    ending = Ending()
    ending.end(0)
    for number in range(1, MOST):
        ending.end(number)
    assert len(ending.lines) == 1
    ending.end(MOST)
    assert ending.lines == names(*range(MOST + 1))
    ending.end(1, request_bytes=MOST_BYTES)
    assert len(ending.lines) == MOST + 1
    ending.end(2, request_bytes=1)
    assert len(ending.lines) == MOST + 3


@pytest.mark.parametrize(
    "changes", [{"error_type": "api_error"}, {"tried": (Tried("b", "m", ApiError("api_error", "no")),)}]
)
async def test_what_went_wrong_is_told_of_at_once_with_all_that_ended_before(
    autojump_clock: MockClock, changes: dict[str, Any]
) -> None:
    ending = Ending()
    ending.end(1)
    ending.end(2)
    ending.end(3, **changes)
    assert ending.lines == names(1, 2, 3)


async def test_what_waits_at_the_end_is_told_of(autojump_clock: MockClock) -> None:
    async with open_supervisor(grace_s=0) as supervisor:
        ending = Ending()
        await supervisor.start(ending.reporter)
        ending.end(1)
        ending.end(2)
        assert ending.lines == names(1)
    assert ending.lines == names(1, 2)


async def test_a_request_that_cannot_be_told_of_keeps_no_other_from_it(autojump_clock: MockClock) -> None:
    async with open_supervisor(grace_s=0) as supervisor:
        ending = Ending()
        await supervisor.start(ending.reporter)
        ending.end(1)
        ending.end(2, summary=None)
        ending.end(3)
        await trio.sleep(60)
        assert ending.lines == names(1, 3)
        assert [child.crashes for child in supervisor.statistics()] == [1]
        snapshot = await told_to(ending.metrics)
    assert snapshot.total("ucr_requests_total") == 2


async def told_to(metrics: Metrics) -> MetricsSnapshot:
    """Return what the actor makes of all that it was told."""
    with trio.move_on_after(1):
        await metrics.run()
    return metrics.totals.snapshot()


async def test_each_is_told_of_with_the_time_at_which_it_ended(autojump_clock: MockClock) -> None:
    lines: list[dict[str, Any]] = []
    log = make_log(
        "info", [], [lambda line: lines.append(json.loads(line))], lambda: datetime(2026, 11, 27, tzinfo=UTC)
    )
    reporter = Reporter(log, Metrics().ref)
    router = Surroundings(config_of(A), {}, {}, lambda: 1_000.0 + trio.current_time())
    exchange = cast(Exchange, SimpleNamespace(sent_bytes=9, is_finished=True))
    began_s = trio.current_time()
    for _ in range(3):
        record = ended(0)
        record.began_s = began_s
        reporter.report(exchange, record, router)
        await trio.sleep(0.004)
    reporter.tell()
    first = datetime.fromisoformat(lines[0]["timestamp"])
    assert [(datetime.fromisoformat(line["timestamp"]) - first).total_seconds() for line in lines] == [
        0.0,
        0.004,
        0.008,
    ]
    assert [line["total_ms"] for line in lines] == [0.0, 4.0, 8.0]
