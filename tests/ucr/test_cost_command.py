import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main
from ucr.kept_file import Bounds
from ucr.usage import UsageRow
from ucr.usage_file import NAME, UsageFile


@pytest.fixture
def state(tmp_path: Path) -> Path:
    file = UsageFile(tmp_path / NAME, Bounds(1e12, 2**30))
    rows = [
        UsageRow(at_s, "a", "s", "up", "m", 200, "miss", 10, 5, None, None, 2_000_000_000)
        for at_s in (1_700_000_000.0, time.time())
    ]
    file.write(rows, [], 0.0)
    file.close()
    return tmp_path


def run(state: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["cost", *arguments], env={"UCR_STATE_DIR": str(state)})


def test_a_table_by_day_is_printed_when_nothing_is_said(state: Path) -> None:
    result = run(state)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].split()[0] == "day"
    assert lines[1].startswith("2023-11-14")
    assert lines[-1].startswith("total")
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("since", "requests"),
    [("7d", 1), ("24h", 1), ("2w", 1), ("2023-01-01", 2), ("2023-11-14T22:13:21+00:00", 1)],
)
def test_one_may_ask_from_when_on(state: Path, since: str, requests: int) -> None:
    result = run(state, "--since", since, "--json")
    assert json.loads(result.output)["total"]["requests"] == requests


def test_a_time_that_cannot_be_meant_is_refused_with_examples(state: Path) -> None:
    result = run(state, "--since", "yesterday")
    assert result.exit_code == 2
    assert "'yesterday' is neither a date such as 2026-11-01 nor a time ago such as 7d or 24h" in result.output


def test_comma_separated_values_are_printed_alone(state: Path) -> None:
    result = run(state, "--by", "client", "--csv")
    assert result.output.splitlines() == [
        "client,requests,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,cost_usd,unpriced",
        "a,2,20,10,0,0,4.0,0",
    ]


def test_without_a_file_it_says_when_there_will_be_one(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "usage.enabled" in result.output
    assert not (tmp_path / NAME).exists()
