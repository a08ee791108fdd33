import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner, Result

from ucr import __version__
from ucr.catalogue import ROWS
from ucr.commands import main

FILE = """
[server]
port = 0

[[providers]]
id = "local"
dialect = "openai-chat"
base_url = "http://127.0.0.1:9101/v1"
api_key = "k"
default_model = "gpt-x"

[router]
default = "local"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in and be at home in, and an environment without keys."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    ours = [name for name in os.environ if name.startswith(("UCR_", "XDG_"))]
    for name in (*ours, *(name for row in ROWS for name in row.key_variables)):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_version_is_that_of_the_package() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"ucr-trio, version {__version__}\n")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_names_every_command(option: str) -> None:
    result = run(option)
    assert result.exit_code == 0
    assert all(f"\n  {command} " in result.stdout for command in ("serve", "check", "demo"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("serve", "--nonsense"),
        ("serve", "--port", "many"),
        ("serve", "--port", "65536"),
        ("serve", "--log-level", "loud"),
        ("check", "extra"),
    ],
)
def test_a_wrong_use_has_status_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")


def test_a_good_file_is_ok(here: Path) -> None:
    (here / "ucr.toml").write_text(FILE, "utf-8")
    (here / "ucr.toml").chmod(0o600)
    result = run("check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "ucr.toml: ok, 1 provider\n", "")


def test_warnings_are_printed_beside_the_result(here: Path) -> None:
    (here / "ucr.toml").write_text(FILE.replace("[router]\ndefault", "# default"), "utf-8")
    result = run("check")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: ucr.toml: router.default is not set")
    assert result.stdout == "ucr.toml: ok, 1 provider\n"


def test_everything_that_is_wrong_is_printed_at_once(here: Path) -> None:
    (here / "bad.toml").write_text('[server]\nport = "many"\nhots = "x"\n', "utf-8")
    result = run("check", "--config", "bad.toml")
    lines = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.split(": ")[:2] for line in lines] == [
        ["bad.toml", "providers"],
        ["bad.toml", "server.port = 'many'"],
        ["bad.toml", "server.hots"],
    ]


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_certificate_that_is_not_there_has_status_2_and_a_remedy(here: Path, command: str) -> None:
    places = f"[server]\ntls_cert = '{here}/no.pem'\ntls_key = '{here}/no.key'\n"
    (here / "ucr.toml").write_text(FILE.replace("[server]\n", places, 1), "utf-8")
    result = run(command)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"ucr.toml: server.tls_cert = {here}/no.pem: cannot be read: No such file")


def test_a_file_that_is_not_there_has_status_2(here: Path) -> None:
    result = run("check", "--config", "gone.toml")
    assert (result.exit_code, result.stderr) == (2, "gone.toml: --config: there is no such file\n")


def test_no_file_is_no_error(here: Path) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert result.stdout == "no configuration file: providers are discovered at the start\n"


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_broken_environment_has_status_2(here: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("UCR_PORT", "many")
    result = run(command)
    assert result.exit_code == 2
    assert result.stderr.startswith("environment: UCR_PORT = many: ")


def test_an_open_address_without_a_client_key_is_not_served(here: Path) -> None:
    (here / "ucr.toml").write_text(FILE, "utf-8")
    result = run("serve", "--host", "0.0.0.0")
    assert result.exit_code == 2
    assert "a client key is needed" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--in-process",)])
def test_a_log_file_that_cannot_be_written_to_has_status_2_and_a_remedy(
    here: Path, options: tuple[str, ...]
) -> None:
    (here / "ucr.toml").write_text(f"{FILE}\n[logging]\nfile = '{here}'\n", "utf-8")
    command = [sys.executable, "-m", "ucr.cli", "serve", *options]
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **paths})
    assert done.returncode == 2
    assert done.stderr.startswith(f"ucr.toml: logging.file = {here}: cannot be written to: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("has_file", [True, False])
def test_a_port_in_use_has_status_2_and_a_remedy(here: Path, has_file: bool) -> None:
    if has_file:
        (here / "ucr.toml").write_text(FILE, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))
    assert result.exit_code == 2
    source = "ucr.toml" if has_file else "discovery"
    assert result.stderr == (
        f"{source}: server = 127.0.0.1:{port}: cannot be listened on: Address already in use; "
        "choose another --host or --port\n"
    )


@pytest.mark.slow
def test_the_demo_prints_a_conversation_and_ends_well(here: Path) -> None:
    result = run("demo")
    assert result.exit_code == 0
    assert result.stdout.endswith("\ndone: two turns, one tool call, all through the router\n")


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_router_well(here: Path, ending: signal.Signals) -> None:
    (here / "ucr.toml").write_text(FILE, "utf-8")
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "ucr.cli", "serve", "--workers", "2"]
    own = {"PYTHONPATH": root, "UCR_STATE_DIR": str(here / "state")}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **own},
    ) as router:
        assert router.stdout is not None
        assert router.stderr is not None
        assert router.stderr.readline().startswith(b"ucr-trio serves http://127.0.0.1:")
        started = json.loads(router.stdout.readline())
        router.send_signal(ending)
        rest = [json.loads(line) for line in router.stdout]
    assert started["level"] == "info"
    assert started["event"] in ("store.started", "worker.started")
    assert rest[-1]["event"] == "router.stopped"
    assert [line["event"] for line in rest].count("worker.stopped") == 2
    assert router.returncode == 0


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [([], "prob", ["probe"]), (["auth"], "log", ["login", "logout"]), (["top"], "--sa", ["--samples"])],
)
def test_a_shell_can_complete_what_is_typed(words: list[str], begun: str, offered: list[str]) -> None:
    shell = BashComplete(main, {}, "ucr-trio", "_UCR_TRIO_COMPLETE")
    assert [item.value for item in shell.get_completions(words, begun)] == offered
