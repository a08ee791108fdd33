"""The start of a router as a function; as a command it is tested in test_commands.py."""

import socket
from pathlib import Path

import pytest

from ucr import launch
from ucr.config.overrides import Overrides

FILE = """
[[providers]]
id = "local"
dialect = "openai-chat"
base_url = "http://127.0.0.1:9101/v1"
default_model = "gpt-x"
{more}
"""


@pytest.mark.parametrize("in_process", [True, False])
def test_a_port_in_use_is_told_with_a_remedy(tmp_path: Path, in_process: bool) -> None:
    file, told = tmp_path / "ucr.toml", list[str]()
    file.write_text(FILE.format(more=""), "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = Overrides(port=taken.getsockname()[1])
        assert launch.serve(str(file), wanted, told.append, in_process=in_process) == launch.UNUSABLE
    assert [line.rpartition("; ")[2] for line in told] == ["choose another --host or --port"]


def test_everything_that_is_wrong_is_told(tmp_path: Path) -> None:
    file, told = tmp_path / "ucr.toml", list[str]()
    file.write_text(FILE.format(more='hots = "x"\ncolour = "red"'), "utf-8")
    assert launch.serve(str(file), Overrides(), told.append, in_process=True) == launch.UNUSABLE
    assert [line.split(": ")[1] for line in told] == ["providers.local.hots", "providers.local.colour"]


@pytest.mark.slow
async def test_a_demo_holds_a_conversation() -> None:
    told = list[str]()
    assert await launch.demo(told.append)
    assert told[-1].startswith("done: two turns")
