from pathlib import Path

import pytest

from ucr.config.model import Config, Router
from ucr.custom_check import check
from ucr.errors import ConfigError


def config_of(place: Path | str | None) -> Config:
    return Config(router=Router(custom=None if place is None else str(place)), source="ucr.toml")


@pytest.mark.parametrize(
    "text",
    [
        "def route(request): return None",
        "route = lambda request: None",
        "from mine import route",
        "from mine import decide as route",
        "from mine import *",
        "if True:\n    def route(request): ...",
        "raise SystemExit  # nothing of the file is run\ndef route(request): ...",
    ],
)
def test_a_file_that_may_hold_the_function_passes(tmp_path: Path, text: str) -> None:
    place = tmp_path / "router.py"
    place.write_text(text)
    check(config_of(place))


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("def route(:", "is no Python"),
        ("\0", "is no Python"),
        ("def rout(request): ...", "has no function route; write: def route(request):"),
        ("async def route(request): ...", "has no function route"),
        ("x = 1\nimport os", "has no function route"),
    ],
)
def test_another_is_a_problem_with_file_key_value_and_remedy(tmp_path: Path, text: str, remedy: str) -> None:
    place = tmp_path / "router.py"
    place.write_text(text)
    with pytest.raises(ConfigError) as caught:
        check(config_of(place))
    (problem,) = caught.value.problems
    assert (problem.file, problem.key, problem.value) == ("ucr.toml", "router.custom", repr(str(place)))
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("place", "remedy"), [("nowhere/router.py", "cannot be read"), ("router.js", "must be a Python file")]
)
def test_a_file_that_is_not_there_or_no_python_is_a_problem(place: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        check(config_of(place))


def test_without_a_custom_router_there_is_nothing_to_check() -> None:
    check(config_of(None))
