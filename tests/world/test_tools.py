import pytest

from tests.world.tools import required_tools, verdict


@pytest.mark.parametrize(
    ("found", "setting", "expected"),
    [
        ("/usr/bin/node", "", "run"),
        ("/usr/bin/node", "node", "run"),
        (None, "", "skip"),
        (None, "redis", "skip"),
        (None, "redis, node", "fail"),
    ],
)
def test_a_missing_tool_skips_unless_it_is_required(found: str | None, setting: str, expected: str) -> None:
    assert verdict("node", required_tools(setting), lambda _: found) == expected


def test_a_tool_is_found_by_the_name_of_its_program() -> None:
    assert verdict("redis", frozenset(), {"redis-server": "/usr/bin/redis-server"}.get) == "run"
