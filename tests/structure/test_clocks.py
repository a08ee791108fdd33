"""Time is measured by a clock that never jumps, and processes are started afresh."""

import ast
from collections.abc import Iterator

import pytest

from tests.world.sources import Source, read, sources

SOURCES = sources("ucr", "actors")
BY_MODULE = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.module)

ON_THE_WALL = {"time.time", "time.time_ns", "time.localtime", "datetime.now", "datetime.utcnow", "date.today"}
READS_THE_WALL = {
    "ucr.auth.command": "when a token ends, which is kept with its date",
    "ucr.launch": "the time of a line in the log",
    "ucr.operate.provider_command": "how far off the clock is",
    "ucr.operate.setup_command": "how far off the clock is",
    "ucr.operate.doctor_command": "how far off the clock is",
    "ucr.operate.report_command": "how far off the clock is",
    "ucr.operate.background": "since when the router runs, to be shown",
    "ucr.library.router": "the time of a line in the log",
    "ucr.explain_offline": "the time of rules",
    "ucr.demo": "the date of the demo's answers",
    "ucr.cost_command": "how long ago something was used",
    "ucr.probe.command": "the time of a line in the log, and of a card that is saved",
    "ucr.store": "the time of a line in the log, and of what was used",
    "ucr.worker": "dates of answers and in `retry-after`, the time of rules and of a line in the log",
}
FORKS = {"os.fork", "os.forkpty", "pty.fork"}


def names_of(source: Source) -> Iterator[str]:
    """Give what is taken of a module or class, as `time.time`, however it was imported."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forks(source: Source) -> Iterator[str]:
    """Give every way of making a process that shares the memory of this one."""
    yield from FORKS.intersection(names_of(source))
    yield from (name for name in source.imports() if name.split(".")[0] == "multiprocessing")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.keyword) and node.arg == "preexec_fn":
            yield "preexec_fn"


@BY_MODULE
def test_only_what_is_shown_or_dated_reads_the_clock_on_the_wall(source: Source) -> None:
    if source.module not in READS_THE_WALL:
        assert ON_THE_WALL.intersection(names_of(source)) == set()


@BY_MODULE
def test_no_process_is_forked(source: Source) -> None:
    assert list(forks(source)) == []


@pytest.mark.parametrize("text", ["import time\ntime.time()", "from time import time", "datetime.now()"])
def test_the_clock_on_the_wall_is_found(text: str) -> None:
    assert ON_THE_WALL.intersection(names_of(read("ucr.relay", text)))


@pytest.mark.parametrize(
    "text", ["os.fork()", "from os import fork", "import multiprocessing", "Popen(preexec_fn=f)"]
)
def test_a_fork_is_found(text: str) -> None:
    assert list(forks(read("ucr.relay", text)))
