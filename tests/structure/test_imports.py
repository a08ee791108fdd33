"""What is loaded, and when: each process carries what it uses, and nothing else, until it needs it."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.sources import Source, read, sources

ROOT = str(Path(__file__).parents[2])

CLIENTS = ("httpx", "httpcore", "anyio")
BACKINGS = ("coredis", "actors.redis", "actors.sqlite")
"""Not `sqlite3` itself: accounts are always kept in it."""
SERVERS = ("hypercorn", "h11", "h2", "hpack", "wsproto", "priority")
COMMANDS = ("click", "ucr.commands")
STRESS = ("ucr.stress", "trio.testing")

VERSION = "import sys; sys.argv[1:] = ['--version']; from ucr.cli import main; main()"
SERVED = """
import trio
from actors import RealNetwork
from ucr import listening
from ucr.config.model import Config, Provider, Server
from ucr.worker import open_worker
from ucr.logs import stdout_log
from datetime import datetime

async def main():
    config = Config(server=Server(port=0), providers=(Provider("p", "openai-chat", "http://127.0.0.1:9/v1"),))
    sockets = listening.bind(config)
    log = stdout_log("critical", datetime.now)
    async with open_worker(config, listening.listeners(sockets), RealNetwork(), log) as worker:
        async with await trio.open_tcp_stream("127.0.0.1", listening.port_of(sockets)) as client:
            await client.send_all(b"GET {path} HTTP/1.1\\r\\nhost: 127.0.0.1\\r\\n\\r\\n")
            assert (await client.receive_some()).startswith(b"HTTP/1.1 200")

trio.run(main)
"""


def loaded_by(code: str) -> set[str]:
    """Return the names of all modules that are loaded after the code was run, in a process of its own."""
    report = "import sys; print(*sorted(sys.modules), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            VERSION,
            ("trio", "structlog", "msgspec", "orjson", "tomllib", "actors", *CLIENTS, *SERVERS, *COMMANDS),
        ),
        ("import ucr.begun, ucr.loading", ("trio", "structlog", "msgspec", "actors", *COMMANDS)),
        (
            "import ucr.commands",
            ("cachetools", "httptools", "ucr.relay", "ucr.worker", *CLIENTS, *SERVERS, *STRESS),
        ),
        (
            "import ucr.launch, ucr.parent",
            ("cachetools", "httptools", "ucr.relay", "ucr.worker", *CLIENTS, *SERVERS, *COMMANDS),
        ),
        (
            "import ucr.store",
            ("httptools", "ucr.relay", "ucr.worker", *CLIENTS, *SERVERS, *COMMANDS, *BACKINGS),
        ),
        (SERVED.format(path="/health"), (*CLIENTS, *SERVERS, *COMMANDS, *BACKINGS, *STRESS)),
    ],
    ids=[
        "the version",
        "what begins the first worker",
        "the command line",
        "the parent",
        "the store",
        "a worker that has answered",
    ],
)
def test_a_process_loads_what_it_uses_and_no_more(code: str, absent: tuple[str, ...]) -> None:
    assert loaded_by(code).isdisjoint(absent)


@pytest.mark.slow
def test_the_version_is_said_by_a_bare_interpreter() -> None:
    more = loaded_by(VERSION) - loaded_by("pass")
    assert {name for name in more if name.split(".")[0] in ("ucr", "actors")} == {"ucr", "ucr.cli"}


@pytest.mark.slow
def test_a_worker_loads_hypercorn_for_the_first_route_that_is_not_hot() -> None:
    assert {"hypercorn", "h11", "ucr.guard"} <= loaded_by(SERVED.format(path="/v1/providers"))


@pytest.mark.parametrize("source", sources("ucr", "actors"), ids=lambda source: source.module)
def test_nothing_that_serves_imports_the_simulator(source: Source) -> None:
    if not source.module.startswith("ucr.stress"):
        assert not [name for name in source.imports() if name.startswith("ucr.stress.")]


def python_scripts() -> list[Source]:
    """Read the scripts in Python whose names do not say so, at which no type checker looks."""
    paths = [path for path in sorted(Path(ROOT, "scripts").iterdir()) if path.is_file() and path.suffix == ""]
    texts = {path.name: path.read_text("utf-8") for path in paths}
    return [
        read(name, text, f"scripts/{name}")
        for name, text in texts.items()
        if text.startswith("#!/usr/bin/env python")
    ]


def missing(source: Source) -> Iterator[str]:
    """Give what a script takes from our own packages and is not there."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("actors", "tests", "ucr"):
            try:
                module = importlib.import_module(node.module or "")
            except ModuleNotFoundError:
                yield node.module or ""
            else:
                yield from (
                    f"{node.module}.{alias.name}" for alias in node.names if not hasattr(module, alias.name)
                )


@pytest.mark.parametrize("source", python_scripts(), ids=lambda source: source.path)
def test_what_a_script_imports_is_there(source: Source) -> None:
    assert list(missing(source)) == []


def test_the_check_of_scripts_is_able_to_fail() -> None:
    text = "from ucr.nothing import x\nfrom ucr.stress.failing.named import NAMED, NOBODY"
    assert list(missing(read("x", text))) == ["ucr.nothing", "ucr.stress.failing.named.NOBODY"]
    assert {source.path for source in python_scripts()} >= {"scripts/faulty_upstream"}
