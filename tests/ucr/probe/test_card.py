from dataclasses import replace

import pytest

from tests.world.router import config_of, provider
from ucr.probe.card import Results, as_json, config_for, lines, passed
from ucr.probe.checks import CHECKS, Seen, Verdict
from ucr.quirks import Quirks


def results(**changes: Verdict) -> Results:
    verdicts = {check.name: "works" for check in CHECKS} | changes
    return tuple((check, Seen(verdicts[check.name], "seen")) for check in CHECKS)  # type: ignore[arg-type]


def test_the_provider_is_asked_alone_and_with_whatever_is_thought_that_it_cannot_do() -> None:
    shy = provider(
        "up", "openai-chat", quirks=Quirks(images=False, text_models=("*",), tools=False), enabled=False
    )
    found = config_for(config_of(shy, provider("other", "anthropic")), shy)
    (one,) = found.providers
    assert one.enabled
    assert one.quirks.takes_images("m")
    assert (one.quirks.tools, one.quirks.heal) == (True, False)
    assert (found.server.port, found.cache.enabled, found.server.host) == (0, False, "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "verdict", "is_passed"),
    [
        ("images", "lacks", True),
        ("thinking", "unclear", True),
        ("thinking", "fails", False),
        ("text", "lacks", False),
        ("cancel", "unclear", False),
    ],
)
def test_what_everybody_needs_must_work_and_nothing_may_fail(
    name: str, verdict: Verdict, is_passed: bool
) -> None:
    assert passed(results(**{name: verdict})) is is_passed


def test_a_probe_that_ended_early_is_not_passed() -> None:
    assert not passed(results()[:3])


def test_the_card_has_a_line_for_each_check() -> None:
    told = list(lines("up/m", results(images="lacks")))
    assert told[0] == "up/m"
    assert "  images                 lacks    seen" in told
    assert told[-1] == "  passed"
    assert list(lines("up/m", results(text="fails")))[-1] == "  not passed"


def test_the_card_as_json() -> None:
    told = as_json("up/m", replace_first(results()))
    assert (told["target"], told["passed"]) == ("up/m", False)
    assert told["checks"][0] == {"check": "text", "verdict": "fails", "seen": "x"}


def replace_first(given: Results) -> Results:
    check, seen = given[0]
    return ((check, replace(seen, verdict="fails", words="x")), *given[1:])
