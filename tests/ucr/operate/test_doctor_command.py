import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main
from ucr.operate.doctor_command import shown_while

FILE = '[[providers]]\nid = "p"\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n[router]\ndefault = "p"\n'


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments])


def test_a_failing_finding_is_status_1_and_shown_with_its_remedy(home: Path) -> None:
    (home / "ucr.toml").write_text("[server]\nport = 'x'\n", "utf-8")
    result = run()
    assert result.exit_code == 1
    assert "failed   configuration: ucr.toml: server.port = 'x'\n         -> " in result.stdout
    told = json.loads(run("--json").stdout)
    assert {"area", "verdict", "words", "remedy"} == told[0].keys()


def test_a_provider_that_is_not_there_fails(home: Path) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    result = run("--config", "ucr.toml", "--json")
    assert result.exit_code == 1
    (failed,) = [finding for finding in json.loads(result.stdout) if finding["verdict"] == "failed"]
    assert failed["area"] == "provider p"
    assert failed["words"] == "nobody listens at http://127.0.0.1:9"


async def test_what_takes_over_a_second_is_shown_and_its_result_given(
    capsys: pytest.CaptureFixture[str], autojump_clock: object
) -> None:
    async def work() -> int:
        return 7

    assert await shown_while("working", work) == 7
    assert capsys.readouterr().err == ""
