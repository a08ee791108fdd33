import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.config.model import Config, Logging
from ucr.line import FINISHED, HEAD, LIMIT_BYTES
from ucr.logs import Log, OpenLog, make_log
from ucr.record import Record
from ucr.redaction import MASK
from ucr.secret import Secret

MOMENT = datetime(2026, 11, 25, 13, 0, 0, 123_456, timezone(timedelta(hours=1)))
UNIX_S = MOMENT.timestamp()
SECRET = 'local-"key"-123'


def logged(level: str = "debug") -> tuple[Log, list[bytes]]:
    lines: list[bytes] = []
    return make_log(level, [SECRET], [lines.append], lambda: MOMENT), lines


def only(lines: list[bytes]) -> dict[str, Any]:
    (line,) = lines
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    value: dict[str, Any] = json.loads(line)
    return value


def test_a_line_begins_with_time_level_and_event() -> None:
    log, lines = logged()
    log.warning("breaker.opened", provider="local")
    assert lines == [
        b'{"timestamp":"2026-11-25T12:00:00.123Z","level":"warning","event":"breaker.opened","provider":"local"}\n'
    ]


def finished(**changes: Any) -> dict[str, object]:
    """The fields of a request that has ended."""
    record = Record("req_1", "0", 100.0, lambda: 0.5, dialect="anthropic", provider="p", status=200)
    for name, value in changes.items():
        setattr(record, name, value)
    return record.fields((2.0, 1.5, 0.25))


def test_the_line_of_a_request_begins_like_any_other_and_has_its_fields_in_order() -> None:
    log, lines = logged()
    told = log.finished(finished(), UNIX_S)
    head = b'{"timestamp":"2026-11-25T12:00:00.123Z","level":"info","event":"request.finished","request_id":"req_1",'
    assert lines[0].startswith(head)
    line = only(lines)
    assert tuple(line)[: len(HEAD + FINISHED)] == HEAD + FINISHED
    assert (line["status"], line["total_ms"], line["agent_id"]) == (200, 2000.0, None)
    assert json.loads(told) == {name: value for name, value in line.items() if name not in HEAD}


def test_the_line_of_a_request_tells_the_time_whenever_it_ends_and_wherever_the_clock_goes() -> None:
    lines: list[bytes] = []
    seconds = (0, 0.0004, 0.0016, 0.9996, 1, 3600.5, 3600.25, -1, 86_400.5)
    log = make_log("info", [], [lines.append], lambda: MOMENT)
    for second in seconds:
        log.finished(finished(), MOMENT.replace(microsecond=0).timestamp() + second)
    told = [json.loads(line)["timestamp"] for line in lines]
    assert told == [
        "2026-11-25T12:00:00.000Z",
        "2026-11-25T12:00:00.000Z",
        "2026-11-25T12:00:00.001Z",
        "2026-11-25T12:00:00.999Z",
        "2026-11-25T12:00:01.000Z",
        "2026-11-25T13:00:00.500Z",
        "2026-11-25T13:00:00.250Z",
        "2026-11-25T11:59:59.000Z",
        "2026-11-26T12:00:00.500Z",
    ]


@pytest.mark.parametrize(("level", "count"), [("debug", 1), ("info", 1), ("warning", 0)])
def test_the_line_of_a_request_is_an_info_and_what_it_says_is_returned_all_the_same(
    level: str, count: int
) -> None:
    log, lines = logged(level)
    assert json.loads(log.finished(finished(), UNIX_S))["request_id"] == "req_1"
    assert len(lines) == count


@pytest.mark.parametrize("text", [f"x {SECRET}", "sk-ant-abcdefghijk", "Bearer abcdefghijk"])
@pytest.mark.parametrize("name", ["provider", "model_asked", "session_id", "peer", "healed", "error_type"])
def test_no_secret_is_in_the_line_of_a_request_nor_in_what_is_returned(name: str, text: str) -> None:
    log, lines = logged()
    for _ in range(2):
        told = log.finished(finished(**{name: text}), UNIX_S)
        assert json.loads(told)[name] == json.loads(lines.pop())[name] == text.replace(text.lstrip("x "), MASK)


@pytest.mark.parametrize(
    "changes", [{}, {"model_asked": "é\x7f"}, {"peer": f"x {SECRET}"}, {"cost_nano": 10**30}]
)
def test_the_short_way_makes_the_line_that_the_long_way_makes(changes: dict[str, Any]) -> None:
    log, lines = logged()
    fields = finished(**changes)
    log.finished(fields, UNIX_S)
    log.info("request.finished", **fields)
    assert lines[0] == lines[1]


def test_the_line_of_a_request_is_cut_where_it_is_too_long() -> None:
    log, lines = logged()
    assert len(log.finished(finished(model_asked="m" * 9000), UNIX_S)) > 9000
    assert only(lines)["model_asked"] == "m" * 1024 + "…"
    assert len(lines[0]) <= LIMIT_BYTES


def test_what_is_bound_is_on_every_line() -> None:
    log, lines = logged()
    log.bind(worker=3).info("worker.started")
    assert only(lines)["worker"] == 3


@pytest.mark.parametrize(
    ("level", "expected"),
    [("debug", "abcde"), ("info", "bcde"), ("warning", "cde"), ("error", "de"), ("critical", "e")],
)
def test_lines_below_the_level_are_left_out(level: str, expected: str) -> None:
    log, lines = logged(level)
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    log.critical("e")
    assert "".join(json.loads(line)["event"] for line in lines) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"message": f"failed with {SECRET}!"},
        {"nested": {"list": [SECRET, {"deep": f"x{SECRET}"}]}},
        {"raw": SECRET.encode()},
        {"object": Path(SECRET)},
        {"header": "Authorization: Bearer abcdefghijk"},
        {"header": "Bearer\tabcdefghijk"},
        {"url": "https://x.test/?key=abcdefghijk"},
        {"key": "sk-ant-abcdefghijk"},
        {SECRET: 1},
        {"long": f"{'x' * 1015}{SECRET}{'y' * 9000}"},
    ],
)
def test_planted_secrets_are_nowhere_in_the_line(fields: dict[str, Any]) -> None:
    log, lines = logged()
    log.info("test.planted", **fields)
    text = json.dumps(only(lines), ensure_ascii=False)
    assert MASK in text or "…" in text
    for part in ("abcdefghijk", "local-", "key\\\\\\", "123"):
        assert part not in text.replace("00.123Z", "")


def test_a_secret_object_never_prints() -> None:
    log, lines = logged()
    log.info("test.planted", value=Secret("other"))
    assert only(lines)["value"] == "Secret('***')"


def test_an_exception_is_part_of_the_line_without_its_secrets() -> None:
    log, lines = logged()
    try:
        raise ValueError(f"cannot use {SECRET}")
    except ValueError:
        log.exception("request.crashed", request_id="req_1")
    line = only(lines)
    assert line["level"] == "error"
    assert f"ValueError: cannot use {MASK}" in line["exception"]


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=300).filter(
            lambda key: key not in ("event", "self", "exc_info", "stack_info")
        ),
        st.one_of(
            st.text(max_size=3000), st.integers(), st.none(), st.lists(st.text(max_size=500), max_size=20)
        ),
        max_size=40,
    )
)
@settings(max_examples=60)
def test_every_line_is_json_within_the_limit(fields: dict[str, Any]) -> None:
    log, lines = logged()
    log.info("test.filled", **fields)
    assert len(lines[0]) <= LIMIT_BYTES
    assert only(lines)["event"] == "test.filled"


def test_long_values_are_cut_and_short_ones_kept() -> None:
    log, lines = logged()
    log.info("test.filled", body="x" * 10_000, request_id="req_1")
    line = only(lines)
    assert line["body"] == "x" * 1024 + "…"
    assert line["request_id"] == "req_1"


def test_a_line_of_too_many_fields_keeps_those_of_the_contract_and_says_so() -> None:
    log, lines = logged()
    log.info("test.filled", request_id="req_1", **{f"field_{n}": n for n in range(1000)})
    line = only(lines)
    assert (line["request_id"], line["cut"], "field_1" in line) == ("req_1", True, False)


@pytest.mark.parametrize("text", ["\x7f", "\x9b31m", "\x85", "\u2028", "\u2029", "\u202e", "é\x9b" * 3000])
def test_nothing_in_a_line_steers_a_terminal_or_ends_it(text: str) -> None:
    log, lines = logged()
    log.info("test.planted", model_asked=text, **{text[:9]: "x"})
    log.finished(finished(model_asked=text), UNIX_S)
    for line in lines:
        assert json.loads(line)["model_asked"][:1] == text[:1]
        assert len(line) <= LIMIT_BYTES
        assert not [char for char in line.decode()[:-1] if not char.isprintable()]


def test_control_characters_cannot_forge_a_line() -> None:
    log, lines = logged()
    log.info("test.filled", text='a\n{"event":"forged"}\r\x1b[31m')
    assert only(lines)["text"] == 'a\n{"event":"forged"}\r\x1b[31m'


def test_lines_go_to_standard_output_and_to_a_private_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "logs" / "ucr.log"
    config = Config(logging=Logging("info", str(path)), secrets=(Secret("local-key-123"),))
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb") as received:
        monkeypatch.setattr("sys.stdout", stream)
        OpenLog(config, lambda: MOMENT).log.info("server.started", key="local-key-123")
        line = received.readline()
    assert line == path.read_bytes()
    assert json.loads(line)["key"] == MASK
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_reader_that_is_gone_does_not_stop_the_router(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        OpenLog(Config(), lambda: MOMENT).log.info("server.started")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_costs_lines_of_the_log_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb") as received:
        monkeypatch.setattr("sys.stdout", stream)
        OpenLog(Config(logging=Logging("info", "/dev/full")), lambda: MOMENT).log.info("server.started")
        assert json.loads(received.readline())["event"] == "server.started"


def test_a_log_follows_another_configuration_and_whoever_holds_it_need_not_know(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb"):
        monkeypatch.setattr("sys.stdout", stream)
        opened = OpenLog(Config(logging=Logging("info", str(first))), lambda: MOMENT)
        log = opened.log
        log.debug("test.hidden")
        opened.reopen(Config(logging=Logging("debug", str(second)), secrets=(Secret("local-key-123"),)))
        log.debug("test.shown", provider="local-key-123")
        log.finished(finished(provider="local-key-123"), UNIX_S)
    assert first.read_bytes() == b""
    assert [json.loads(line)["provider"] for line in second.read_bytes().splitlines()] == [MASK, MASK]


def test_a_log_file_that_cannot_be_opened_leaves_the_log_as_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "ucr.log"
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb"):
        monkeypatch.setattr("sys.stdout", stream)
        opened = OpenLog(Config(logging=Logging("info", str(path))), lambda: MOMENT)
        with pytest.raises(OSError, match="Is a directory"):
            opened.reopen(Config(logging=Logging("debug", str(tmp_path))))
        opened.log.info("test.shown")
    assert json.loads(path.read_bytes())["event"] == "test.shown"


def test_who_overhears_gets_what_is_worth_telling_whatever_the_level(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, heard = tmp_path / "ucr.log", list[bytes]()
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb"):
        monkeypatch.setattr("sys.stdout", stream)
        opened = OpenLog(Config(logging=Logging("warning", str(path))), lambda: MOMENT)
        opened.log.finished(finished(status=1), UNIX_S)
        opened.overhear(heard.append)
        opened.log.debug("test.hidden", status=2)
        opened.log.finished(finished(status=3), UNIX_S)
        opened.log.warning("breaker.opened", status=4)
        opened.reopen(Config(logging=Logging("debug", str(path))))
        opened.log.debug("test.shown", status=5)
        opened.log.error("breaker.opened", status=6)
        opened.overhear(None)
        opened.log.error("breaker.opened", status=7)
    assert [json.loads(line)["status"] for line in heard] == [3, 4, 6]
    assert [json.loads(line)["status"] for line in path.read_bytes().splitlines()] == [4, 5, 6, 7]


def test_who_overhears_gets_no_secret_either() -> None:
    heard: list[bytes] = []
    log = make_log("info", [SECRET], [], lambda: MOMENT, heard.append)
    log.finished(finished(provider=f"p {SECRET}"), UNIX_S)
    log.info("test.planted", provider=f"p {SECRET}")
    assert [json.loads(line)["provider"] for line in heard] == [f"p {MASK}"] * 2
