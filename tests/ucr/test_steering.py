"""Rules and custom routers on the whole path in memory: who is asked, with what, and what the client is told."""

from typing import Any

import pytest

from tests.world import answers
from tests.world.custom import answering, custom_stage, hanging
from tests.world.router import config_of, open_router, provider
from ucr.config.model import ModelTarget
from ucr.config.rule_model import FieldTest, HeaderTest, Rewrite, Rule, Setting, Weight, When
from ucr.decision import Decisions
from ucr.rests import LARGE_BYTES
from ucr.steering import steer_of

pytestmark = pytest.mark.usefixtures("both_lanes")

MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"
TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 500, "temperature": 1, "messages": TURN}
A, B = provider("a", "anthropic"), provider("b", "anthropic")
SAYS = answers.says(200, answers.anthropic_reply())
TO_B = (ModelTarget("b", "b-cheap"),)
NO_HEAT = Rewrite(None, (Setting(("max_tokens",), 100),), (("temperature",),))


async def test_a_rule_that_holds_says_where_a_request_goes(autojump_clock: object) -> None:
    rules = (Rule("cheap", When(headers=(HeaderTest("x-team", ("red*",)),)), TO_B),)
    async with open_router(config_of(A, B, rules=rules), a=SAYS, b=SAYS) as world:
        ruled = await world.ask(MESSAGES, ASK, headers={"x-team": "red-1"})
        other = await world.ask(MESSAGES, ASK)
    assert (ruled.headers["x-ucr-route"], ruled.headers["x-ucr-model"]) == ("rule:cheap", "b-cheap")
    assert ruled.json()["model"] == "claude-x"
    assert (other.headers["x-ucr-route"], other.headers["x-ucr-provider"]) == ("default", "a")
    assert [line["route"] for line in world.finished] == ["rule:cheap", "default"]


async def test_tokens_are_counted_by_whom_a_rule_would_ask(autojump_clock: object) -> None:
    rules = (
        Rule("cap", rewrite=NO_HEAT),
        Rule("cheap", When(headers=(HeaderTest("x-team", ("red*",)),)), TO_B),
    )
    counts = answers.says(200, {"input_tokens": 7})
    question = {"model": "claude-x", "messages": TURN}
    async with open_router(config_of(A, B, rules=rules), a=counts, b=counts) as world:
        ruled = await world.ask(f"{MESSAGES}/count_tokens", question, headers={"x-team": "red-1"})
        other = await world.ask(f"{MESSAGES}/count_tokens", question)
    assert (ruled.json(), other.json()) == ({"input_tokens": 7}, {"input_tokens": 7})
    assert (ruled.headers["x-ucr-provider"], ruled.headers["x-ucr-route"]) == ("b", "rule:cheap")
    assert other.headers["x-ucr-provider"] == "a"


async def test_when_the_targets_of_a_rule_fail_the_others_follow(autojump_clock: object) -> None:
    config = config_of(A, B, rules=(Rule("cheap", targets=TO_B),))
    busy = answers.says(529, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}})
    async with open_router(config, a=SAYS, b=busy) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["x-ucr-provider"], heard.headers["x-ucr-tier"]) == (200, "a", "simple")


@pytest.mark.parametrize("model", ["fast", "a/x"])
async def test_names_that_say_who_serves_go_before_the_rules(autojump_clock: object, model: str) -> None:
    rules = (Rule("cheap", targets=TO_B), Rule("cap", rewrite=NO_HEAT))
    config = config_of(A, B, rules=rules, models={"fast": (ModelTarget("a", "x"),)})
    async with open_router(config, a=SAYS, b=SAYS) as world:
        heard = await world.ask(MESSAGES, {**ASK, "model": model})
    assert (heard.headers["x-ucr-provider"], heard.headers["x-ucr-model"]) == ("a", "x")
    assert heard.headers["x-ucr-notes"] == "rule cap: set max_tokens; rule cap: removed temperature"


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_what_rules_rewrite_is_what_the_provider_gets(autojump_clock: object, dialect: str) -> None:
    config = config_of(provider("up", dialect), rules=(Rule("cap", rewrite=NO_HEAT),))
    reply = answers.anthropic_reply() if dialect == "anthropic" else answers.chat_reply()
    async with open_router(config, up=answers.says(200, reply)) as world:
        heard = await world.ask(MESSAGES, ASK)
    seen: Any = world.upstreams["up"].requests[0].json()
    assert seen["max_tokens"] == 100
    assert "temperature" not in seen
    assert heard.headers["x-ucr-notes"].startswith("rule cap: set max_tokens; rule cap: removed temperature")
    assert heard.headers["x-ucr-route"] == "default"


async def test_a_large_request_is_rewritten_as_well(autojump_clock: object) -> None:
    config = config_of(A, rules=(Rule("cap", rewrite=NO_HEAT),))
    long = [{"role": "user", "content": "x" * LARGE_BYTES}]
    async with open_router(config, a=SAYS) as world:
        await world.ask(MESSAGES, {**ASK, "messages": long})
    seen: Any = world.upstreams["a"].requests[0].json()
    assert (seen["max_tokens"], seen["messages"]) == (100, long)


async def test_a_request_that_rules_make_invalid_is_told_so_and_sent_to_nobody(autojump_clock: object) -> None:
    config = config_of(A, rules=(Rule("bad", rewrite=Rewrite(removals=(("messages",),))),))
    async with open_router(config, a=SAYS) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert heard.status == 400
    assert "the router's rules made this request invalid (bad)" in heard.json()["error"]["message"]
    assert world.upstreams["a"].requests == []


async def test_a_request_is_routed_by_the_name_that_a_rule_gives_it(autojump_clock: object) -> None:
    rules = (
        Rule("renamed", When(model=("gpt-*",)), rewrite=Rewrite("fast")),
        Rule("never", targets=(ModelTarget("a"),)),
    )
    config = config_of(A, B, rules=rules, models={"fast": TO_B})
    async with open_router(config, a=SAYS, b=SAYS) as world:
        heard = await world.ask(MESSAGES, {**ASK, "model": "gpt-x"})
    assert (heard.headers["x-ucr-route"], heard.headers["x-ucr-model"]) == ("alias", "b-cheap")
    assert heard.json()["model"] == "gpt-x"
    assert heard.headers["x-ucr-notes"] == "rule renamed: routed as fast"


async def test_a_session_keeps_its_arm_of_an_experiment(autojump_clock: object) -> None:
    weights = (Weight(ModelTarget("a"), 1.0), Weight(ModelTarget("b"), 1.0))
    config = config_of(A, B, rules=(Rule("ab", weights=weights),))
    async with open_router(config, a=SAYS, b=SAYS) as world:
        arms: dict[str, set[str]] = {}
        for number in range(24):
            session = f"s{number % 8}"
            body = {**ASK, "max_tokens": 100 + number}
            heard = await world.ask(MESSAGES, body, headers={"x-claude-code-session-id": session})
            arms.setdefault(session, set()).add(heard.headers["x-ucr-provider"])
            assert heard.headers["x-ucr-route"] == "rule:ab"
    assert all(len(providers) == 1 for providers in arms.values())
    assert set().union(*arms.values()) == {"a", "b"}


async def test_rules_look_at_bodies_of_openai_clients_too(autojump_clock: object) -> None:
    test = FieldTest(("max_completion_tokens",), "less", 50.0)
    config = config_of(A, B, rules=(Rule("short", When(dialect=("openai-*",), body=(test,)), TO_B),))
    async with open_router(config, a=SAYS, b=SAYS) as world:
        short = await world.ask(CHAT, {"model": "m", "messages": TURN, "max_completion_tokens": 9})
        other = await world.ask(CHAT, {"model": "m", "messages": TURN})
    assert [heard.headers["x-ucr-route"] for heard in (short, other)] == ["rule:short", "default"]


async def test_the_custom_router_is_asked_where_no_name_and_no_rule_decides(autojump_clock: object) -> None:
    rules = (Rule("ruled", When(model=("ruled-*",)), TO_B), Rule("cap", rewrite=NO_HEAT))
    config = config_of(A, B, rules=rules, custom="router.py", models={"fast": TO_B})
    async with (
        custom_stage(answering(lambda request: ["b/mine", "a"])) as stage,
        open_router(config, start_custom=stage.start, a=SAYS, b=SAYS) as world,
    ):
        heard = {
            model: await world.ask(MESSAGES, {**ASK, "model": model})
            for model in ("ruled-1", "fast", "a/x", "claude-x")
        }
    routes = {model: answer.headers["x-ucr-route"] for model, answer in heard.items()}
    assert routes == {"ruled-1": "rule:ruled", "fast": "alias", "a/x": "provider", "claude-x": "custom"}
    assert heard["claude-x"].headers["x-ucr-model"] == "mine"
    assert [request["model"] for request in stage.processes[0].asked] == ["claude-x"]
    assert stage.processes[0].asked[0]["body"] is None


async def test_a_custom_router_that_hangs_costs_the_limit_and_no_request(autojump_clock: object) -> None:
    config = config_of(A, B, custom="router.py", custom_sees="body")
    async with (
        custom_stage(hanging) as stage,
        open_router(config, start_custom=stage.start, a=SAYS, b=SAYS) as world,
    ):
        heard = await world.ask(MESSAGES, ASK)
        assert stage.processes[0].asked[0]["body"] == ASK
    assert (heard.status, heard.headers["x-ucr-route"]) == (200, "default")
    assert [line["kind"] for line in world.lines if line["event"] == "custom_router.failed"] == ["timeout"]


def test_a_configuration_without_rules_and_custom_router_has_nothing_to_pay() -> None:
    import trio

    config = config_of(A)
    assert steer_of(config, Decisions(config), None, lambda: 0.0, trio.CapacityLimiter(1)) is None
    ruled = config_of(A, rules=(Rule("r", targets=TO_B),))
    steer = steer_of(ruled, Decisions(ruled), None, lambda: 0.0, trio.CapacityLimiter(1))
    assert repr(steer) == "<Steer by <Rules: r> and None>"
