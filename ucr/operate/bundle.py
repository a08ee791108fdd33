"""What goes into a report of a bug, gathered and scrubbed; nothing here needs the router to run, or a valid file.

How this works. Each member is made of plain data, and all of it goes through one scrubber that knows every secret which
can be found: those of the configuration, of its text where it is broken, of the environment, and of signing in.
"""

import getpass
import importlib.metadata
import json
import os
import platform
import socket
import sqlite3
import tomllib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from actors import Network
from ucr import __version__, jsontext
from ucr.asking import Unanswered, answer_of, default_url, open_client
from ucr.auth.file import credential_file
from ucr.auth.grant import Unusable
from ucr.config.model import Config
from ucr.config.places import config_place
from ucr.errors import ConfigError
from ucr.journal.file import NAME
from ucr.journal.reading import Found, Reader, Wanted
from ucr.journal.showing import as_json
from ucr.line import LIMIT_BYTES
from ucr.operate import scrubbing
from ucr.operate.examination import examined
from ucr.operate.scrubbing import Scrubber
from ucr.operate.seat import Seat

LOG_LINES, JOURNAL_ENTRIES = 300, 50
LINE_CHARS = 2 * LIMIT_BYTES
"""A line of the log is never as long as this."""
LEFT_OUT = f"[a line of {LINE_CHARS} characters or more is left out]"
_WITH_BODIES = ("request", "answer", "headers", "query")
_PAGES = (
    ("providers.json", "/v1/providers", "the providers as the router sees them"),
    ("tree.json", "/admin/tree", "the tree of actors"),
    ("debug-metrics.json", "/debug/metrics", "the totals of all workers"),
)
_PACKAGES = ("trio", "httpx", "hypercorn", "h11", "httptools", "orjson", "msgspec", "structlog")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the bundle: its name, what it is, in words, and its text."""

    name: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user wants: `request_id` is a request of the journal, `bodies` its texts and those of the others too."""

    config: str | None = None
    request_id: str | None = None
    bodies: bool = False
    key: str | None = None


async def gathered(
    found: Config | ConfigError,
    asked: Asked,
    environ: Mapping[str, str],
    network: Network,
    unix_time: Callable[[], float],
) -> list[Member]:
    """Return the members, scrubbed; `found` is the configuration, or what is wrong with it."""
    text, place = _text_of(asked.config, environ)
    scrubber = Scrubber(_secrets(found, text, environ, asked), _places(environ))
    members = [
        _member("versions.json", "versions and platform", _versions(environ), scrubber),
        _member(
            "configuration.json",
            "the configuration without secrets",
            _configuration(found, text, place),
            scrubber,
        ),
    ]
    findings = await examined(found, asked.config, environ, network, unix_time)
    members.append(_member("doctor.json", "what doctor finds", [asdict(each) for each in findings], scrubber))
    members += await _of_router(asked, environ, scrubber)
    return [*members, _log(found, asked, environ, scrubber), _journal(asked, environ, scrubber)]


def _member(name: str, what: str, value: Any, scrubber: Scrubber) -> Member:
    text = json.dumps(scrubber.tree(value), indent=2, ensure_ascii=False)
    return Member(name, what, scrubber.text(text))


def _secrets(found: Config | ConfigError, text: str, environ: Mapping[str, str], asked: Asked) -> Iterator[str]:
    if isinstance(found, Config):
        yield from (secret.reveal() for secret in found.secrets)
        for headers in (found.otel.headers, *(provider.headers for provider in found.providers)):
            yield from scrubbing.secrets_of_tree(dict(headers), is_secret=True)
    yield from scrubbing.secrets_of_text(text, environ)
    yield from scrubbing.secrets_of_tree(_tree_of(text, asked.config))
    yield from scrubbing.secrets_of_variables(environ)
    yield asked.key or ""
    with suppress(Unusable, OSError):
        for credential in credential_file(environ).read().values():
            yield from (secret.reveal() for secret in credential.secrets)


def _places(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    home = environ.get("HOME", "")
    yield home.rstrip("/"), "~"
    host = socket.gethostname()
    yield from ((host, "[host]"), (host.partition(".")[0], "[host]"))
    users = {environ.get("USER", ""), environ.get("LOGNAME", ""), Path(home).name if home else ""}
    with suppress(OSError, KeyError, ImportError):
        users.add(getpass.getuser())
    yield from ((user, "[user]") for user in users)


def _text_of(option: str | None, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the text of the file that would be read, as far as it can be, and its place."""
    try:
        place = config_place(option, environ, lambda path: Path(path).is_file())
    except ConfigError:
        return "", None
    if place is None:
        return "", None
    with suppress(OSError):
        return Path(place).read_bytes().decode("utf-8", "replace"), place
    return "", place


def _tree_of(text: str, place: str | None) -> dict[str, Any]:
    """Return the text as tables; none where it is broken."""
    is_json = (place or "").endswith(".json") or text.lstrip().startswith("{")
    try:
        tree = jsontext.loads(text.encode()) if is_json else tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _configuration(found: Config | ConfigError, text: str, place: str | None) -> dict[str, Any]:
    problems = [str(problem) for problem in found.problems] if isinstance(found, ConfigError) else []
    warnings = list(found.warnings) if isinstance(found, Config) else []
    tables = _tree_of(text, place)
    words = "" if tables or not text else "the file is no TOML or JSON, and left out"
    return {"file": place, "problems": problems, "warnings": warnings, "tables": tables or words}


def _versions(environ: Mapping[str, str]) -> dict[str, Any]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "ucr-trio": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "packages": packages,
        "variables that are set": sorted(name for name in environ if _matters(name)),
    }


def _matters(name: str) -> bool:
    return name.startswith(("UCR_", "ANTHROPIC_", "CLAUDE_")) or name.endswith(("_API_KEY", "_PROXY", "_proxy"))


async def _of_router(asked: Asked, environ: Mapping[str, str], scrubber: Scrubber) -> list[Member]:
    members = []
    url, trust = default_url(asked.config, environ)
    running = Seat(environ).running()
    url = url if running is None else running.url
    async with open_client(url, asked.key, trust) as client:
        for name, path, what in _PAGES:
            try:
                value = await answer_of(client, path)
            except Unanswered as why:
                value, what = {"not there": str(why)}, f"{what}: the router does not say"
            members.append(_member(name, what, value, scrubber))
    return members


def _log(found: Config | ConfigError, asked: Asked, environ: Mapping[str, str], scrubber: Scrubber) -> Member:
    """Return the last lines of the log in the background and of the one in the configuration."""
    places = [Seat(environ).log]
    if isinstance(found, Config) and found.logging.file is not None:
        places.append(Path(found.logging.file))
    lines = [line for place in dict.fromkeys(places) for line in _last_lines(place, asked.request_id)]
    text = "".join(f"{_scrubbed_line(line, scrubber)}\n" for line in lines)
    return Member("log.jsonl", f"the last {len(lines)} lines of the log", text)


def _last_lines(place: Path, request_id: str | None) -> list[str]:
    """Return the last lines of a file, and before them those of a request that are older.

    What is no file has none: a pipe would be waited for, and a device has no end.
    """
    last: deque[str] = deque(maxlen=LOG_LINES)
    of_it: deque[str] = deque(maxlen=LOG_LINES)
    if not place.is_file():
        return []
    with suppress(OSError), place.open("r", encoding="utf-8", errors="replace") as file:
        for line in _lines_of(file):
            if len(last) == LOG_LINES and request_id is not None and request_id in last[0]:
                of_it.append(last[0])
            last.append(line)
    return [*of_it, *last]


def _lines_of(file: TextIO) -> Iterator[str]:
    """Give the lines. One that the router cannot have written is left out: a secret that is cut is not known as one."""
    is_long = False
    while piece := file.readline(LINE_CHARS):
        is_end = len(piece) < LINE_CHARS or piece.endswith("\n")
        if is_end:
            yield LEFT_OUT if is_long else piece.rstrip("\n")
        is_long = not is_end


def _scrubbed_line(line: str, scrubber: Scrubber) -> str:
    try:
        value = jsontext.loads(line.encode())
    except jsontext.JsonError:
        return scrubber.text(line)
    return scrubber.text(jsontext.dumps(scrubber.tree(value)).decode())


def _journal(asked: Asked, environ: Mapping[str, str], scrubber: Scrubber) -> Member:
    reader = Reader(Path(Seat(environ).folder) / NAME)
    try:
        entries = reader.latest(Wanted(), JOURNAL_ENTRIES)
        one = None if asked.request_id is None else reader.one(asked.request_id)
    except sqlite3.Error as error:
        return _member("journal.json", "the journal: there is none", {"not there": str(error)}, scrubber)
    if one is not None and one.number not in {entry.number for entry in entries}:
        entries = [one, *entries]
    whose = "with their bodies" if asked.bodies else "without bodies"
    told = [_entry(entry, asked.bodies) for entry in entries]
    return _member("journal.json", f"the last {len(told)} requests of the journal, {whose}", told, scrubber)


def _entry(found: Found, bodies: bool) -> dict[str, Any]:
    return {name: value for name, value in as_json(found).items() if bodies or name not in _WITH_BODIES}
