import json
from dataclasses import replace
from typing import Any

from tests.world.router import config_of, provider
from ucr.config.model import Config, ModelTarget
from ucr.config.rule_model import HeaderTest, Rewrite, Rule, When
from ucr.dialects.roles import Request
from ucr.explain import explained, in_words
from ucr.facts import Facts
from ucr.quirks import Quirks
from ucr.routing import Candidate
from ucr.rules import Rules
from ucr.steered import Advice, Steered

SMALL = provider("small", "anthropic", quirks=replace(Quirks(), context_window=1000))
LARGE = provider("large", "anthropic", quirks=replace(Quirks(), context_window=100_000))
PLAIN = provider("plain", "openai-chat", quirks=replace(Quirks(), images=False))
OFF = provider("off", "anthropic", enabled=False)
TURN = [{"role": "user", "content": "hi"}]


def steered(
    config: Config, model: str = "m", advice: Advice | None = None, session: str | None = None, **body: Any
) -> Steered:
    full = {"model": model, "max_tokens": 10, "messages": TURN} | body
    request = Request("anthropic", json.dumps(full).encode(), full, model, False, {"x-team": "red"}, session)
    facts = Facts(request)
    return Steered(facts, (), Rules(config.router.rules).ruling(facts, 0.0), advice)


def told(config: Config, **request: Any) -> Any:
    return explained(config, steered(config, **request), lambda candidate: ())


def names(explanation: Any) -> list[tuple[int | None, str, list[str]]]:
    return [(entry["order"], entry["provider"], entry["refusals"]) for entry in explanation["candidates"]]


def test_steps_candidates_and_sizes_are_told() -> None:
    config = config_of(LARGE, OFF, models={"fast": (ModelTarget("large", "l-fast"),)})
    found = told(config, model="fast")
    assert [(step["step"], step["decides"]) for step in found["steps"]] == [("alias", True)]
    assert found["candidates"][0] == {
        "order": 1,
        "tier": "optimal",
        "provider": "large",
        "model": "l-fast",
        "route": "alias",
        "window": 100_000,
        "refusals": [],
        "remedies": [],
    }
    assert (found["route"], found["disabled"], found["error"]) == ("alias", ["off"], None)
    assert found["tokens"]["output"] == 10
    assert found["tokens"]["counted"] == found["tokens"]["input"] + 10
    json.dumps(found)


def test_each_rule_says_whether_it_holds_and_if_not_why() -> None:
    rules = (
        Rule("blue", When(headers=(HeaderTest("x-team", ("blue",)),)), (ModelTarget("small"),)),
        Rule("red", When(headers=(HeaderTest("x-team", ("red",)),)), (ModelTarget("large"),)),
        Rule("late", targets=(ModelTarget("small"),)),
    )
    found = told(config_of(SMALL, LARGE, rules=rules))
    assert found["rules"] == [
        {"rule": "blue", "holds": False, "because": "headers.x-team"},
        {"rule": "red", "holds": True, "because": None},
        {"rule": "late", "holds": None, "because": None},
    ]
    assert found["route"] == "rule:red"


def test_another_name_and_the_custom_router_are_told() -> None:
    renamed = config_of(LARGE, rules=(Rule("r", rewrite=Rewrite("large/x")),))
    assert (told(renamed)["routed_as"], told(renamed)["route"]) == ("large/x", "provider")
    custom = config_of(SMALL, LARGE, custom="router.py")
    assert told(custom)["custom"] == {"outcome": "not asked", "targets": [], "words": ""}
    chosen = told(custom, advice=Advice((ModelTarget("large"),), "chosen"))
    assert (chosen["route"], chosen["custom"]["targets"]) == ("custom", ["large"])
    assert told(config_of(LARGE))["custom"] is None


def test_who_is_too_small_is_named_and_not_asked() -> None:
    found = told(config_of(SMALL, LARGE), messages=[{"role": "user", "content": "word " * 4000}])
    assert names(found) == [(1, "large", []), (None, "small", ["its window is too small"])]


def test_a_request_that_nobody_takes_is_told_its_error() -> None:
    long = told(config_of(SMALL), messages=[{"role": "user", "content": "word " * 4000}])
    assert long["error"]["status"] == 400
    assert long["error"]["message"].startswith("prompt is too long")
    assert names(long) == [(None, "small", ["its window is too small"])]
    nobody = told(config_of(LARGE, default=()), model="unknown")
    assert (nobody["error"]["status"], nobody["route"], nobody["candidates"]) == (404, None, [])
    assert len(nobody["steps"]) == 6


def test_an_emergency_that_cannot_take_the_request_says_so() -> None:
    image = {"type": "image", "source": {"type": "base64", "data": "aGk=", "media_type": "image/png"}}
    config = config_of(LARGE, PLAIN, default=(ModelTarget("large"),))
    found = told(config, messages=[{"role": "user", "content": [image]}])
    assert names(found)[1] == (2, "plain", ["it does not take what the request holds (tools or images)"])


def test_what_a_session_prefers_among_equals_is_told() -> None:
    one, two = (provider(name, "anthropic", models=("shared",)) for name in ("one", "two"))
    config = config_of(one, two)
    preferences = {f"s{n}": told(config, model="shared", session=f"s{n}") for n in range(20)}
    for found in preferences.values():
        assert sorted(found["affinity"]["equals"][0]) == ["one", "two"]
        assert found["affinity"]["prefers"] == found["candidates"][0]["provider"]
    assert {found["affinity"]["prefers"] for found in preferences.values()} == {"one", "two"}
    assert told(config, model="shared")["affinity"]["prefers"] is None
    assert told(config)["affinity"] is None


def test_the_words_say_what_the_data_say() -> None:
    rules = (
        Rule("blue", When(headers=(HeaderTest("x-team", ("blue",)),)), (ModelTarget("small"),)),
        Rule("renamed", rewrite=Rewrite("large/x")),
    )
    config = config_of(SMALL, LARGE, OFF, rules=rules, custom="router.py")

    def refusals(candidate: Candidate) -> tuple[str, ...]:
        return ("its breaker is open",) if candidate.provider.id == "large" else ()

    text = "\n".join(in_words(explained(config, steered(config), refusals)))
    for words in (
        "m (anthropic, main)",
        "routed as: large/x",
        "provider  large/x  <- decides",
        "blue      does not hold: headers.x-team",
        "renamed   holds",
        "custom router: not asked",
        "1 optimal   large/x (provider, window 100000)  not now: its breaker is open",
        "not enabled: off",
    ):
        assert words in text
    refused = "\n".join(in_words(told(config_of(LARGE, default=()), model="unknown")))
    assert "refused: 404 model: unknown" in refused
