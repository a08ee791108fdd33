"""What goes into a report: everything that helps, and none of the secrets that are planted all over the place."""

import json
import math
import os
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import trio

from actors import RealNetwork
from ucr.access import digest
from ucr.config.model import Config
from ucr.journal.entry import Entry
from ucr.journal.file import NAME, JournalFile
from ucr.kept_file import Bounds
from ucr.operate.bundle import LEFT_OUT, LINE_CHARS, LOG_LINES, Asked, Member, gathered
from ucr.operate.examination import read_configuration
from ucr.stress.upstream import Answer, SeenRequest, Upstream

PLANTED = {
    name: f"Planted{name}Xyz"
    for name in (
        *("ConfigKey", "ListedKey", "ClientKey", "AdminKey", "Header", "ProxyUser", "ProxyPass", "Query"),
        *("Variable", "Named", "Looks", "Body", "Error", "LogField"),
    )
}
SHAPED = ("Looks", "Query", "Body", "Error", "LogField")
"""Those that are known by what stands before them alone."""
USER = "planted-user-name"
FILE = """
[[providers]]
id = "up"
dialect = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"
api_key = "{ConfigKey}"
headers = {{ "x-mine" = "{Header}" }}
[[providers]]
id = "other"
dialect = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"
api_keys = ["{ListedKey}", "${{PLANT_REF}}"]
proxy = "http://{ProxyUser}:{ProxyPass}@127.0.0.1:9"
[[clients]]
name = "ann"
key = "{ClientKey}"
[admin]
key = "{AdminKey}"
[router]
default = "up"
"""
BROKEN = "[[providers]\n" + FILE


def environ(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "USER": USER,
        "UCR_STATE_DIR": str(home / "state"),
        "MY_SERVICE_TOKEN": PLANTED["Variable"],
        "PLANT_REF": PLANTED["Named"],
        "UCR_ADMIN_KEY": PLANTED["AdminKey"],
    }


def everything(home: Path) -> str:
    """Return text that holds all that is planted, in every way in which it may stand there."""
    told = " ".join(PLANTED[name] for name in PLANTED if name not in SHAPED)
    shaped = f"sk-{PLANTED['Looks']} https://h.test/v1?api_key={PLANTED['Query']} x-api-key: {PLANTED['Error']}"
    return f"{told} {shaped} {home}/ucr.toml {USER}@{socket.gethostname()}"


async def answering(home: Path, request: SeenRequest, answer: Answer) -> None:
    """Be the router and the provider, and say all that is secret."""
    told = {"status": "ready", "data": [{"id": "m"}], "words": everything(home), "api_key": PLANTED["LogField"]}
    body = json.dumps(told).encode()
    status = 401 if request.path.startswith("/v1/models") else 200
    await answer.head(status, (("content-length", str(len(body))),))
    await answer.raw(body)


def plant(home: Path, port: int, file: str) -> None:
    (home / "ucr.toml").write_text(file.format(port=port, **PLANTED), "utf-8")
    state = home / "state"
    state.mkdir(mode=0o700)
    line = {
        "event": "request.crashed",
        "request_id": "req_old",
        "error": everything(home),
        "token": PLANTED["LogField"],
    }
    more = [{"event": "request.finished", "request_id": f"req_{number}"} for number in range(LOG_LINES)]
    lines = [
        json.dumps(line),
        *map(json.dumps, more),
        everything(home),
        json.dumps({**line, "request_id": "req_new"}),
    ]
    (state / "router.log").write_text("\n".join(lines) + "\n", "utf-8")
    account = {"model_asked": "m", "tried": [everything(home)], "headers": {"x-mine": PLANTED["Header"]}}
    body = json.dumps({"messages": everything(home), "password": PLANTED["Body"]})
    journal = JournalFile(state / NAME, Bounds(math.inf, 2**30))
    journal.write([Entry(1.0, "req_1", "up", 500, True, json.dumps(account), body, body)], 0.0)
    journal.close()


async def bundle(home: Path, asked: Asked, file: str = FILE) -> dict[str, Member]:
    async with trio.open_nursery() as nursery:
        upstream = Upstream(partial(answering, home))
        listeners = await nursery.start(partial(trio.serve_tcp, upstream.serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        plant(home, port, file)
        variables = environ(home) | {"UCR_PORT": str(port)}
        found = read_configuration(None, variables)
        members = await gathered(found, asked, variables, RealNetwork(), lambda: 0.0)
        nursery.cancel_scope.cancel()
    return {member.name: member for member in members}


def secrets(home: Path) -> Iterator[str]:
    yield from PLANTED.values()
    yield from (str(home), USER, socket.gethostname())
    yield from (digest(PLANTED[name]) for name in ("ClientKey", "AdminKey"))


@pytest.mark.slow
@pytest.mark.parametrize("bodies", [False, True])
@pytest.mark.parametrize("file", [FILE, BROKEN], ids=["valid", "broken"])
async def test_no_secret_is_in_any_member(home: Path, file: str, bodies: bool) -> None:
    asked = Asked(request_id="req_1", bodies=bodies, key=PLANTED["AdminKey"])
    members = await bundle(home, asked, file)
    text = "\n".join(f"{member.what}\n{member.text}" for member in members.values())
    assert [secret for secret in secrets(home) if secret in text] == []
    assert text.count("[redacted]") > 20
    assert members["tree.json"].text.count("ready") == 1, "the router was asked"


@pytest.mark.slow
async def test_everything_that_helps_is_there(home: Path) -> None:
    members = await bundle(home, Asked())
    assert list(members) == [
        *("versions.json", "configuration.json", "doctor.json", "providers.json", "tree.json"),
        *("debug-metrics.json", "log.jsonl", "journal.json"),
    ]
    versions = json.loads(members["versions.json"].text)
    assert {"ucr-trio", "python", "system", "packages"} < versions.keys()
    assert versions["variables that are set"] == ["UCR_ADMIN_KEY", "UCR_PORT", "UCR_STATE_DIR"]
    configuration = json.loads(members["configuration.json"].text)
    assert configuration["tables"]["providers"][1]["api_keys"] == ["[redacted]", "${PLANT_REF}"]
    assert configuration["tables"]["router"] == {"default": "up"}
    assert {"configuration", "provider up"} <= {one["area"] for one in json.loads(members["doctor.json"].text)}
    (entry,) = json.loads(members["journal.json"].text)
    assert (entry["model_asked"], "request" in entry, "headers" in entry) == ("m", False, False)


@pytest.mark.slow
async def test_bodies_are_there_when_they_are_asked_for_and_a_request_with_its_older_lines(home: Path) -> None:
    members = await bundle(home, Asked(request_id="req_old", bodies=True))
    assert "messages" in json.loads(members["journal.json"].text)[0]["request"]
    lines = members["log.jsonl"].text.splitlines()
    assert len(lines) == LOG_LINES + 1
    assert json.loads(lines[0])["request_id"] == "req_old"
    assert json.loads(lines[-1])["request_id"] == "req_new"


async def test_a_report_needs_no_router_no_file_and_no_journal(home: Path) -> None:
    members = await gathered(Config(), Asked(), environ(home) | {"UCR_PORT": "9"}, RealNetwork(), lambda: 0.0)
    told = {member.name: member for member in members}
    assert "not there" in json.loads(told["tree.json"].text)
    assert told["journal.json"].what == "the journal: there is none"
    assert told["log.jsonl"].text == ""


async def log_of(home: Path) -> list[str]:
    variables = environ(home) | {"UCR_PORT": "9"}
    members = await gathered(Config(), Asked(), variables, RealNetwork(), lambda: 0.0)
    return next(member.text for member in members if member.name == "log.jsonl").splitlines()


async def test_a_line_that_no_router_has_written_is_left_out_whole(home: Path) -> None:
    (home / "state").mkdir(mode=0o700)
    lines = ["first", "x" * 3 * LINE_CHARS, "y" * LINE_CHARS, "z" * (LINE_CHARS - 1), "last"]
    (home / "state" / "router.log").write_text("\n".join(lines), "utf-8")
    assert await log_of(home) == ["first", LEFT_OUT, LEFT_OUT, lines[3], "last"]


async def test_a_pipe_in_the_place_of_the_log_is_not_waited_for(home: Path) -> None:
    (home / "state").mkdir(mode=0o700)
    os.mkfifo(home / "state" / "router.log")
    assert await log_of(home) == []
