from typing import Any

import pytest
from click.testing import CliRunner

from ucr.cache_command import cache, lines

TOLD: dict[str, Any] = {
    "enabled": True,
    "scope": "node",
    "hits": 3,
    "misses": 1,
    "hit_rate": 0.75,
    "l1": {"entries": 1, "bytes": 10, "hits": 2},
    "l2": {"entries": 4, "bytes": 40, "hits": 1},
}


def test_the_two_tiers_are_shown_beside_what_they_come_to() -> None:
    assert list(lines(TOLD)) == [
        "scope node: 3 hits, 1 misses, hit rate 75.0%",
        "l1: 1 entries, 10 bytes, 2 hits",
        "l2: 4 entries, 40 bytes, 1 hits",
    ]
    assert next(iter(lines({**TOLD, "hit_rate": None, "l2": {}}))).endswith("hit rate -")
    assert list(lines({"enabled": False})) == ["no cache: cache.enabled is false"]


@pytest.mark.parametrize("command", [["stats"], ["clear", "--model", "m", "--provider", "p"]])
def test_where_no_router_answers_the_command_fails_and_says_what_helps(command: list[str]) -> None:
    result = CliRunner().invoke(cache, [*command, "--url", "http://127.0.0.1:1", "--json"])
    assert result.exit_code == 1
    assert "no router answers" in result.output
