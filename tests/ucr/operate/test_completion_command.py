import pytest
from click.testing import CliRunner

from ucr.commands import main


@pytest.mark.parametrize(
    ("shell", "words"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete ")]
)
def test_each_shell_gets_its_script(shell: str, words: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert words in result.stdout
    assert "_UCR_TRIO_COMPLETE" in result.stdout


def test_another_shell_is_a_wrong_use() -> None:
    assert CliRunner().invoke(main, ["completion", "csh"]).exit_code == 2
