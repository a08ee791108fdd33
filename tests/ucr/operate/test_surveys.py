"""This machine, broken on purpose: each fault is found, with a remedy."""

import os
import resource
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from actors.redis_address import RedisAddress
from ucr.config.model import Cache, Config, Provider, Router, Server
from ucr.errors import ConfigError, Problem
from ucr.logs import make_log
from ucr.operate import surveys
from ucr.operate.finding import Finding
from ucr.secret import Secret
from ucr.stress.network import MemoryNetwork

URL = "http://127.0.0.1:3000"
LOCAL = Provider("local", "openai-chat", "http://127.0.0.1:9/v1")


def test_each_problem_of_the_configuration_is_a_finding() -> None:
    error = ConfigError((Problem("u.toml", "a.b", "3", "write 4"), Problem("u.toml", "c", "", "is missing")))
    assert list(surveys.of_configuration(error)) == [
        Finding("configuration", "failed", "u.toml: a.b = 3", "write 4"),
        Finding("configuration", "failed", "u.toml: c", "is missing"),
    ]
    well = Config(providers=(LOCAL,), source="u.toml", warnings=("careful", "u.toml: open; close it"))
    careful, is_open, fine = surveys.of_configuration(well)
    assert (careful.verdict, careful.words, careful.remedy) == (
        "warning",
        "careful",
        "see docs/configuration.md",
    )
    assert (is_open.words, is_open.remedy) == ("u.toml: open", "close it")
    assert fine.verdict == "ok"
    (none,) = surveys.of_configuration(Config())
    assert (none.verdict, "ucr-trio setup" in none.remedy) == ("warning", True)


def test_folders_and_keys_that_others_can_read_are_found(tmp_path: Path) -> None:
    folder, key = tmp_path / "state", tmp_path / "key.pem"
    folder.mkdir(mode=0o755)
    key.touch(mode=0o644)
    config = Config(server=Server(tls_cert="c", tls_key=str(key)))
    assert [finding.remedy for finding in surveys.of_permissions(config, folder)] == [
        f"chmod 700 {folder}",
        f"chmod 600 {key}",
    ]
    folder.chmod(0o700)
    key.chmod(0o600)
    assert [finding.verdict for finding in surveys.of_permissions(config, folder)] == ["ok"]


def test_a_state_folder_that_cannot_be_made_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (finding,) = surveys.of_permissions(None, tmp_path / "file" / "state")
    assert finding.verdict == "failed"
    assert finding.remedy.endswith("or set UCR_STATE_DIR")
    (fine,) = surveys.of_permissions(None, tmp_path / "not" / "yet")
    assert fine.verdict == "ok"


def test_a_state_folder_that_cannot_even_be_looked_at_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    (finding,) = surveys.of_permissions(None, tmp_path / ("x" * 300) / "state")
    assert (finding.verdict, finding.remedy) == (
        "failed",
        f"make {tmp_path} a folder of yours, or set UCR_STATE_DIR",
    )


def test_a_state_folder_that_only_root_could_write_to_is_found_also_by_root(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o500)
    (finding,) = surveys.of_permissions(None, folder)
    assert finding.verdict == ("warning" if os.geteuid() == 0 else "failed")
    assert finding.remedy == f"make {folder} a folder of yours, or set UCR_STATE_DIR"


def test_a_state_folder_on_a_disk_without_room_is_found(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        (finding,) = surveys.of_permissions(None, tmp_path / "state")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (finding.verdict, finding.remedy) == ("failed", "make room there, or set UCR_STATE_DIR")
    assert finding.words == f"{tmp_path / 'state'} cannot be written to: File too large"
    assert list(tmp_path.iterdir()) == []


def test_a_private_key_that_cannot_be_looked_at_is_no_crash(tmp_path: Path) -> None:
    config = Config(server=Server(tls_cert="c", tls_key=str(tmp_path / ("x" * 300))))
    assert [finding.verdict for finding in surveys.of_permissions(config, tmp_path / "state")] == ["ok"]


@pytest.mark.parametrize(
    ("hard", "verdict"),
    [(64, "failed"), (1024, "warning"), (65_536, "ok"), (resource.RLIM_INFINITY, "ok")],
)
def test_too_few_files_are_found(hard: int, verdict: str) -> None:
    assert surveys.of_limits(hard).verdict == verdict


def test_a_port_in_use_is_told_with_the_process_that_has_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        folder = tmp_path / "77" / "fd"
        folder.mkdir(parents=True)
        (tmp_path / "77" / "comm").write_text("node\n", "utf-8")
        (folder / "5").symlink_to("socket:[4242]")
        (tmp_path / "net").mkdir()
        row = f"0: 0100007F:{port:04X} 00000000:0000 0A 0:0 0:0 0 0 0 4242 1 0 100 0"
        (tmp_path / "net" / "tcp").write_text(f"head\n{row}\n", "ascii")
        found = surveys.of_port("127.0.0.1", port, tmp_path)
        assert found.words.endswith("Address already in use by process 77 (node)")
        assert surveys.of_port("127.0.0.1", port, tmp_path / "none").words.endswith("by another process")
    assert surveys.of_port("127.0.0.1", port).verdict == "ok"


def test_an_address_of_another_machine_is_found() -> None:
    found = surveys.of_port("192.0.2.1", 0)
    assert (found.verdict, "Cannot assign" in found.words) == ("failed", True)


async def test_a_redis_that_is_not_there_is_found(autojump_clock: object) -> None:
    address = RedisAddress("redis.test", 6379)
    config = Config(cache=Cache(backend="redis", url=address, secret=Secret("0123456789abcdef")))
    found = await surveys.of_redis(config, MemoryNetwork())
    assert found is not None
    assert (found.verdict, "refused" in found.words) == ("failed", True)
    assert await surveys.of_redis(Config(), MemoryNetwork()) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("def route(request):\n    return None\n", "ok"),
        ("def route(request): ...\nraise ValueError('boo')", "failed"),
    ],
)
async def test_a_custom_router_is_really_loaded(tmp_path: Path, text: str, verdict: str) -> None:
    (tmp_path / "c.py").write_text(text, "utf-8")
    config = Config(providers=(LOCAL,), router=Router(custom=str(tmp_path / "c.py")))
    log: Any = make_log("critical", (), (), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    found = await surveys.of_custom_router(config, log)
    assert found is not None
    assert found.verdict == verdict
    assert ("boo" in found.words) is (verdict == "failed")
    assert await surveys.of_custom_router(Config(), log) is None


@pytest.mark.parametrize(
    ("environ", "verdict", "remedy"),
    [
        ({}, "ok", ""),
        ({"ANTHROPIC_BASE_URL": f"{URL}/"}, "ok", ""),
        (
            {"ANTHROPIC_BASE_URL": "http://x"},
            "failed",
            f"export ANTHROPIC_BASE_URL={URL}, or start it with ucr-trio code",
        ),
        ({"ANTHROPIC_BASE_URL": URL, "CLAUDE_CODE_USE_VERTEX": "1"}, "failed", "unset CLAUDE_CODE_USE_VERTEX"),
    ],
)
def test_an_environment_that_contradicts_is_found(
    home: Path, environ: dict[str, str], verdict: str, remedy: str
) -> None:
    (found,) = surveys.of_claude_code({"HOME": str(home), **environ}, URL)
    assert (found.verdict, found.remedy) == (verdict, remedy)


def test_settings_that_contradict_are_found(home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text('{"apiKeyHelper": "x"}', "utf-8")
    (found,) = surveys.of_claude_code({"HOME": str(home)}, URL)
    assert (found.verdict, found.remedy) == ("failed", "take it out")
