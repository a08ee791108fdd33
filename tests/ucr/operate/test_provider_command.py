import json
from functools import partial
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from ucr.commands import main
from ucr.stress.upstream import Answer, SeenRequest, Upstream

FILE = """
[[providers]]
id = "p"
dialect = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"
models = ["m1"]
context_window = 9000
[router]
default = "p"
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def file(home: Path) -> Path:
    (home / "ucr.toml").write_text(FILE.format(port=9), "utf-8")
    return home / "ucr.toml"


def test_providers_and_models_are_listed(file: Path) -> None:
    assert run("providers", "list").stdout == (
        "p: openai-chat at http://127.0.0.1:9/v1, the model asked for, 0 keys\n"
    )
    assert json.loads(run("providers", "list", "--json").stdout)[0]["id"] == "p"
    assert run("models", "list").stdout == "p/m1  (p)\nm1  (p)\n"
    assert json.loads(run("models", "list", "--json").stdout)[0] == {"id": "p/m1", "provider": "p"}


@pytest.mark.parametrize("group", ["providers", "models"])
def test_where_nobody_is_configured_that_is_said_beside_an_empty_list(home: Path, group: str) -> None:
    told = run(group, "list")
    assert (told.exit_code, told.stdout) == (0, "")
    assert "ucr-trio setup" in told.stderr
    assert json.loads(run(group, "list", "--json").stdout) == []


def test_a_model_is_told_by_whom_it_is_served_and_how_much_it_holds(file: Path) -> None:
    assert run("models", "info", "m1").stdout == "p/m1  (route listed, window 9000 tokens)\n"
    (row,) = json.loads(run("models", "info", "claude-x", "--json").stdout)
    assert row == {"provider": "p", "model": "claude-x", "route": "default", "context_window": 9000}
    file.write_text(FILE.format(port=9).replace('default = "p"', ""), "utf-8")
    assert run("models", "info", "unknown").exit_code == 1


def test_a_provider_that_is_not_configured_or_not_there_is_told(file: Path) -> None:
    unknown = run("providers", "test", "q")
    assert (unknown.exit_code, unknown.stderr) == (2, "there is no provider 'q'; known are p\n")
    gone = run("providers", "test", "p")
    assert (gone.exit_code, gone.stdout.startswith("failed   provider p: nobody listens")) == (1, True)
    assert json.loads(run("providers", "test", "--json").stdout)[0]["verdict"] == "failed"
    assert run("providers", "discover", "p").exit_code == 1
    file.write_text("[server]\nport = 'x'\n", "utf-8")
    assert run("models", "list").exit_code == 2


async def test_a_provider_is_asked_for_its_models(file: Path) -> None:
    async def lists(_request: SeenRequest, answer: Answer) -> None:
        body = b'{"data": [{"id": "m1"}, {"id": "m2"}]}'
        await answer.head(200, (("content-length", str(len(body))),))
        await answer.raw(body)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, Upstream(lists).serve, 0, host="127.0.0.1"))
        text = FILE.format(port=listeners[0].socket.getsockname()[1])
        await trio.Path(file).write_text(text, "utf-8")
        found = await trio.to_thread.run_sync(run, "providers", "discover", "p")
        tried = await trio.to_thread.run_sync(run, "providers", "test")
        nursery.cancel_scope.cancel()
    assert (found.exit_code, found.stdout) == (0, "m1\nm2\n")
    assert (tried.exit_code, tried.stdout) == (0, "ok       provider p: is reached, 2 models\n")
