import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.world.signing import NOW, file_with, kept
from ucr.auth.command import lines
from ucr.auth.credential import Credential
from ucr.auth.file import CredentialFile
from ucr.auth.grant import DeviceCode
from ucr.auth.sealing import Passphrase
from ucr.commands import main
from ucr.secret import Secret

ROOT = Path(__file__).parents[3]
KEY = Credential("api_key", Secret("gsk_a-key-that-is-long"), saved_unix=NOW)
OFFICE = """
[[providers]]
id = "office"
dialect = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
auth = "bearer"
sign_in = { client_id = "c", token_url = "http://127.0.0.1:1/token" }
[[providers]]
id = "groq"
[router]
default = "office"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("UCR_CONFIG", "UCR_PASSPHRASE", "UCR_KEY_STORE", "GROQ_API_KEY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("UCR_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ("auth", *arguments), input=text)


def test_a_key_comes_from_standard_input_and_is_never_shown(here: Path) -> None:
    result = run("login", "groq", text="gsk_a-key-that-is-long\n")
    assert result.exit_code == 0
    assert result.output == f"groq: an API key; kept in {here / 'credentials.json'}, in clear\n"
    assert CredentialFile(here).read()["groq"].access == KEY.access
    listed = run("list")
    assert "groq: api key, without an end" in listed.output
    assert "gsk_" not in listed.output


def test_a_configuration_that_waits_for_this_very_key_is_no_hindrance(here: Path) -> None:
    Path("ucr.toml").write_text(OFFICE)
    assert run("login", "groq", text="gsk_a-key-that-is-long\n").exit_code == 0
    checked = CliRunner().invoke(main, ("check",))
    assert (checked.exit_code, checked.output) == (0, "ucr.toml: ok, 2 providers\n")
    assert run("logout", "groq").exit_code == 0
    checked = CliRunner().invoke(main, ("check",))
    assert checked.exit_code == 2
    assert "or run: ucr-trio auth login groq" in checked.output


def test_a_configured_sign_in_is_used_and_what_fails_is_told_with_status_1(here: Path) -> None:
    Path("ucr.toml").write_text(OFFICE)
    result = run("login", "office", text="a-refresh-token\n")
    assert result.exit_code == 1
    assert result.output == "office: the server of its tokens does not answer (ConnectError)\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("login", "nobody"), 2, "no provider 'nobody'"),
        (("login", "ollama"), 2, "wants no key"),
        (("login", "groq", "--config", "none.toml"), 2, "no such file"),
        (("login", "groq"), 1, "nothing was typed"),
        (("logout",), 2, "--all"),
        (("logout", "groq", "--all"), 2, "--all"),
        (("logout", "groq"), 0, "nobody has signed in"),
        (("refresh", "groq"), 1, "nobody has signed in"),
        (("refresh",), 0, ""),
        (("list",), 0, "in clear\n  nobody is signed in"),
    ],
)
def test_every_end_has_its_status_and_words(
    here: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    result = run(*arguments, text="")
    assert (result.exit_code, words in result.output) == (status, True)


def test_what_is_kept_is_listed_as_json_without_a_secret(here: Path) -> None:
    file_with(here, groq=KEY, github_copilot=kept(expires_unix=None))
    told = json.loads(run("list", "--json").output)
    assert told["file"] == str(here / "credentials.json")
    assert told["protection"] == "in clear"
    assert [entry["provider"] for entry in told["credentials"]] == ["github-copilot", "groq"]
    assert [entry["is_renewable"] for entry in told["credentials"]] == [True, False]
    assert "gsk_" not in json.dumps(told)
    assert "access-0" not in json.dumps(told)


def test_one_leaves_everywhere_at_once(here: Path) -> None:
    file = file_with(here, groq=KEY, up=kept())
    assert run("logout", "--all").output == "groq: signed out\nup: signed out\n"
    assert file.read() == {}


def test_a_file_that_cannot_be_read_is_told_with_status_1(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CredentialFile(here, Passphrase(Secret("right"))).change("groq", KEY)
    for arguments in (("list",), ("refresh",), ("logout", "groq"), ("login", "groq")):
        result = run(*arguments, text="gsk_another-key-for-groq")
        assert result.exit_code == 1
        assert "set UCR_PASSPHRASE" in result.output
    monkeypatch.setenv("UCR_PASSPHRASE", "right")
    assert "groq: api key" in run("list").output


def test_a_renewal_that_fails_for_one_is_told_and_goes_on(here: Path) -> None:
    Path("ucr.toml").write_text(OFFICE)
    file_with(here, office=kept(), groq=KEY)
    result = run("refresh")
    assert result.exit_code == 1
    assert "groq: an API key, which is not renewed" in result.output
    assert "office: the server of its tokens does not answer" in result.output


def test_lines_tell_how_long_each_credential_holds() -> None:
    ending = kept(expires_unix=NOW + 600, refresh=Secret(""))
    shown = list(lines({"a": KEY, "b": kept(), "c": ending}, NOW))
    assert shown == [
        "  a: api key, without an end",
        "  b: oauth, renewed by itself, next within 60 min",
        "  c: oauth, ends in 10 min",
    ]
    assert list(lines({"c": ending}, NOW + 601)) == ["  c: oauth, has ended; sign in again"]


def test_a_code_is_shown_with_where_to_type_it(capsys: pytest.CaptureFixture[str]) -> None:
    from ucr.auth import command

    command._show(DeviceCode(Secret("d"), "ABCD-1234", "https://login.test/device", 5.0, 900.0))
    assert capsys.readouterr().err == "open https://login.test/device and type ABCD-1234; waiting for 15 min\n"


@pytest.mark.slow
def test_what_is_typed_at_a_terminal_is_not_shown(here: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ucr.cli", "auth", "login", "groq"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=here.parent)
    os.close(theirs)
    shown = b""
    while b"API key of groq: " not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, b"gsk_typed-at-a-terminal\n")
    while b"kept in" not in shown:
        shown += os.read(ours, 1000)
    assert child.wait() == 0
    os.close(ours)
    assert b"gsk_" not in shown
    assert CredentialFile(here).read()["groq"].access == Secret("gsk_typed-at-a-terminal")
