"""What a user can see is in the docs: headers, error types, commands, options, log events and their fields."""

import ast
import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest

from tests.world.sources import ROOT, Source, read, sources
from ucr.errors import STATUS_OF

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
DOCS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
SOURCES = sources("ucr", "actors")
HEADER = re.compile(r"x-ucr-[a-z-]+")
EVENT = re.compile(r"[a-z_]+\.[a-z_]+")
LOG_METHODS = frozenset({"debug", "info", "warning", "error", "critical", "exception", "on_event", "_on_event"})
LOG_ARGUMENTS = frozenset({"exc_info", "stack_info"})


def headers(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant):
            text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            if isinstance(text, str) and HEADER.fullmatch(text):
                yield text


def log_calls(source: Source) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give event and field names of every call such as `log.info("breaker.opened", provider=...)`."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        event = node.args[0].value
        if called in LOG_METHODS and isinstance(event, str) and EVENT.fullmatch(event):
            yield event, tuple(word.arg for word in node.keywords if word.arg and word.arg not in LOG_ARGUMENTS)


def is_documented(name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", DOCS) is not None


def command_line() -> list[str]:
    """Give every command and option of the command line, when it is there."""
    if importlib.util.find_spec("ucr.commands") is None:
        return []
    commands = dict(nested(importlib.import_module("ucr.commands").main, "ucr-trio"))
    options = [option for command in commands.values() for option in command.params]
    names = [name for option in options for name in option.opts if name.startswith("--")]
    return [*list(commands)[1:], *dict.fromkeys(names)]


def nested(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Give a command and all that are below it, by the words that one types."""
    yield name, command
    for word, below in command.commands.items() if isinstance(command, click.Group) else ():
        yield from nested(below, f"{name} {word}")


def spoken() -> list[str]:
    """Give every command within a line of the pages, as it is written there but for what a shell makes of its output."""
    spans = {"".join(found) for found in re.findall(r"`((?:\./)?scripts/chaos|ucr-trio)( [^`\n]*)`", DOCS)}
    return sorted(re.split(r" [|<>] ", span)[0] for span in spans if "COMMAND" not in span)


def understand(said: str) -> None:
    """Read a command as the command line does, without running it; raise `click.UsageError` where it cannot."""
    tool, *words = (word if word != "N" else "1" for word in shlex.split(said))
    words = words if tool == "ucr-trio" else ["stress", "--real", *words]
    command: click.Command = importlib.import_module("ucr.commands").main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        word = words.pop(0)
        if word not in command.commands:
            raise click.UsageError(f"no such command: {word}")
        command = command.commands[word]
    if words:
        command.make_context(command.name, words)


EVENTS = sorted({event for source in SOURCES for event, _ in log_calls(source)})
FIELDS = sorted({field for source in SOURCES for _, fields in log_calls(source) for field in fields})


@pytest.mark.parametrize("header", sorted({name for source in SOURCES for name in headers(source)}))
def test_every_header_is_documented(header: str) -> None:
    assert is_documented(header)


@pytest.mark.parametrize(("error_type", "status"), STATUS_OF)
def test_every_error_type_is_documented_with_its_status(error_type: str, status: int) -> None:
    assert f"| {status} | `{error_type}` |" in DOCS


@pytest.mark.parametrize("event", EVENTS)
def test_every_log_event_is_documented(event: str) -> None:
    assert is_documented(event)


@pytest.mark.parametrize("field", FIELDS)
def test_every_log_field_is_documented(field: str) -> None:
    assert f"`{field}`" in DOCS


@pytest.mark.parametrize("name", command_line())
def test_every_command_and_option_is_documented(name: str) -> None:
    assert is_documented(name)


@pytest.mark.parametrize("said", spoken())
def test_every_command_in_a_line_of_the_pages_is_understood(said: str) -> None:
    with suppress(click.exceptions.Exit):  # it has said its version
        understand(said)


@pytest.mark.parametrize("said", ["./scripts/chaos R1", "ucr-trio nothing", "ucr-trio top --nothing"])
def test_a_command_that_is_not_there_is_not_understood(said: str) -> None:
    with pytest.raises(click.UsageError):
        understand(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = [
        link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()
    ]
    assert missing == []


def test_headers_and_events_are_found_in_source() -> None:
    source = read("ucr.x", 'log.info("worker.replaced", slot=3)\nHEADERS = ("x-ucr-cache", b"x-ucr-tier")')
    assert list(headers(source)) == ["x-ucr-cache", "x-ucr-tier"]
    assert list(log_calls(source)) == [("worker.replaced", ("slot",))]
