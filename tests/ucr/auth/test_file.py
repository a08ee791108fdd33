import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.world.signing import file_with, kept
from ucr.auth.credential import Credential
from ucr.auth.file import NAME, CredentialFile, credential_file
from ucr.auth.grant import Unusable
from ucr.auth.sealing import Passphrase
from ucr.secret import Secret

ROOT = Path(__file__).parents[3]
KEY = Credential("api_key", Secret("sk-a-key-that-is-long"))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_is_kept_is_read_and_belongs_to_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "ucr"
    file = CredentialFile(folder)
    assert file.read() == {}
    assert file.change("groq", KEY) is False
    assert file.change("up", kept()) is False
    assert CredentialFile(folder).read() == {"groq": KEY, "up": kept()}
    assert (mode(folder), mode(file.path)) == (0o700, 0o600)
    assert sorted(path.name for path in folder.iterdir()) == [NAME, f"{NAME}.lock"]


def test_a_folder_that_others_can_reach_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file_with(tmp_path, up=kept())
    assert mode(tmp_path) == 0o700


def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    file = file_with(tmp_path, groq=KEY, up=kept())
    assert file.change("groq", None) is True
    assert file.change("groq", None) is False
    assert list(file.read()) == ["up"]
    assert "sk-a-key" not in file.path.read_text()


def test_with_a_passphrase_nothing_stands_there_in_clear(tmp_path: Path) -> None:
    file_with(tmp_path, groq=KEY)
    sealing = CredentialFile(tmp_path, Passphrase(Secret("a passphrase")))
    sealing.change("up", kept())
    text = sealing.path.read_text()
    assert "sk-a-key" not in text
    assert "access-0" not in text
    assert CredentialFile(tmp_path, Passphrase(Secret("a passphrase"))).read() == {"groq": KEY, "up": kept()}
    with pytest.raises(Unusable, match="not the one that it was sealed with"):
        CredentialFile(tmp_path, Passphrase(Secret("another"))).read()
    with pytest.raises(Unusable, match="set UCR_PASSPHRASE"):
        CredentialFile(tmp_path).change("groq", KEY)
    assert sealing.path.read_text() == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"version": 1}', "no table"),
        ("{}" * 600_000, "1 MiB"),
    ],
)
def test_a_file_that_is_damaged_is_told_by_name_and_left_as_it_is(
    tmp_path: Path, text: str, words: str
) -> None:
    file = file_with(tmp_path, groq=KEY)
    file.path.write_text(text)
    for act in (file.read, lambda: file.change("up", kept())):
        with pytest.raises(Unusable, match=words) as caught:
            act()
        assert str(caught.value).startswith(f"{file.path}: ")
    assert file.path.read_text() == text


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_reach_is_not_used(tmp_path: Path, bits: int) -> None:
    file = file_with(tmp_path, groq=KEY)
    file.path.chmod(bits)
    with pytest.raises(Unusable, match="chmod 600"):
        file.read()


def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(Unusable, match=NAME):
        CredentialFile(tmp_path).read()


WRITER = """
import sys
from pathlib import Path
from ucr.auth.credential import Credential
from ucr.auth.file import CredentialFile
from ucr.secret import Secret
file = CredentialFile(Path(sys.argv[1]))
for number in range(20):
    file.change(f"{sys.argv[2]}-{number}", Credential("api_key", Secret("k" * 4000)))
"""


@pytest.mark.slow
def test_of_two_processes_that_write_neither_loses_anything_and_each_reader_finds_it_whole(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [subprocess.Popen([*command, name], env=environ) for name in ("a", "b")]
    file, sizes = CredentialFile(tmp_path), [0]
    while any(writer.poll() is None for writer in writers):
        sizes.append(len(file.read()))
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(file.read()) == 40
    assert sizes == sorted(sizes)


async def test_one_renews_at_a_time(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    files, order = [CredentialFile(tmp_path) for _ in range(2)], []

    async def renew(file: CredentialFile, name: str) -> None:
        async with file.renewing("up"):
            order.append(f"{name} in")
            await trio.sleep(3)
            order.append(f"{name} out")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(renew, files[0], "a")
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(renew, files[1], "b")
        async with files[0].renewing("another"):
            assert order == ["a in"]
    assert order == ["a in", "a out", "b in", "b out"]


async def test_a_renewal_that_does_not_end_is_not_waited_for_for_ever(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with CredentialFile(tmp_path).renewing("up"):
        with pytest.raises(Unusable, match="another process has been renewing"):
            async with CredentialFile(tmp_path).renewing("up"):
                pass


def test_the_environment_says_where_it_is_and_what_it_is_sealed_with(tmp_path: Path) -> None:
    file = credential_file({"UCR_STATE_DIR": str(tmp_path), "UCR_PASSPHRASE": "x"})
    assert file.path == tmp_path / "credentials.json"
    assert repr(file) == f"<CredentialFile {file.path}, sealed with a passphrase>"
    assert credential_file({"UCR_STATE_DIR": str(tmp_path)}).protection == "in clear"


def test_what_is_written_is_json_that_a_person_can_look_into(tmp_path: Path) -> None:
    file = file_with(tmp_path, groq=KEY)
    assert json.loads(file.path.read_text())["credentials"]["groq"]["kind"] == "api_key"
