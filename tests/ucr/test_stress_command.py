"""`ucr-trio stress` says how a run went, and takes a plan back that it has printed."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main
from ucr.stress.plan import Plan

TINY = ("--seconds", "2", "--clients", "3", "--rate", "0.3")


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["stress", *arguments], input=text)


def test_a_run_is_told_in_words_or_as_json() -> None:
    said = run("--simulated", *TINY)
    assert said.exit_code == 0, said.output
    first, counts, digest = said.stdout.splitlines()
    assert first == "seed 1: passed: every law held"
    assert re.fullmatch(
        r"  \d+ requests in \d+ virtual seconds, which took [\d.]+ s: .*answered in full.*", counts
    )
    assert digest.startswith("  digest ")
    facts = json.loads(run(*TINY, "--seed", "2", "--json").stdout)
    assert (facts["seed"], facts["passed"], facts["law"]) == (2, True, None)
    assert facts["requests"] > 0
    assert facts["virtual_s"] > 100


def test_a_plan_is_read_from_standard_input() -> None:
    plan = Plan(9, 2.0, 2, rate=0.2)
    said = run("--plan", "-", "--json", text=plan.said())
    assert json.loads(said.stdout)["seed"] == 9


def test_what_is_no_plan_is_a_mistake_of_usage(tmp_path: Path) -> None:
    said = run("--plan", "-", text="[]")
    assert said.exit_code == 2
    assert "the plan cannot be read" in said.output


def test_a_target_that_is_not_known_is_a_mistake_of_usage_that_names_all() -> None:
    said = run("--real", "--targets", "R1,R99")
    assert said.exit_code == 2
    assert "no target R99; there are R1, R2, " in said.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--simulated", "--level", "light"), "--level needs --real"),
        (("--svg", "a.svg"), "--svg needs --real"),
        (("--real", "--clients", "3"), "--clients needs --simulated"),
    ],
)
def test_an_option_of_the_other_mode_is_a_mistake_of_usage(arguments: tuple[str, ...], words: str) -> None:
    said = run(*arguments)
    assert said.exit_code == 2
    assert words in said.output


@pytest.mark.parametrize("arguments", [("--seconds", "0"), ("--clients", "0"), ("--rate", "0")])
def test_options_have_bounds(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
