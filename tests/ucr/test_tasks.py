"""Which task a request is, and which route that gives it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.config.model import TASKS, Config, ModelTarget, Provider, Router, Task
from ucr.decision import decide
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.roles import Request
from ucr.facts import OUTPUT_COUNTED_TOKENS, Facts
from ucr.tasks import KEYWORDS, claimer_of, tasks_of

FIXTURES = Path(__file__).parents[1] / "fixtures" / "captures"
UP = Provider("up", "openai-chat", "https://up.test/v1")
CLASSIFIER = {"stop_sequences": ["</block>"], "thinking": {"type": "disabled"}}
TITLE = {
    "output_config": {
        "effort": "high",
        "format": {"type": "json_schema", "schema": {"properties": {"title": {}}}},
    }
}
IMAGE = {"type": "image", "source": {"type": "base64", "data": "aGk="}}
SEARCH = {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}
ENABLED = {"thinking": {"type": "enabled", "budget_tokens": 4000}}


def config(*tasks: Task, **router: Any) -> Config:
    routes = {task: (ModelTarget("up", task),) for task in tasks}
    return Config(providers=(UP,), router=Router(default=(ModelTarget("up"),), tasks=routes, **router))


def facts(
    body: dict[str, Any], model: str = "claude-opus-5-5", agent: str | None = None, **headers: str
) -> Facts:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    whole = {"model": model, "messages": [{"role": "user", "content": "hi"}], **body}
    return Facts(Request("anthropic", json.dumps(whole).encode(), whole, model, True, named, None, agent))


def said(*content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [*content]}]}


def words(text: str) -> dict[str, Any]:
    return said({"type": "text", "text": text})


def route(config: Config, seen: Facts) -> str:
    return decide(config, seen).route


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(facts({}), "default", id="plain"),
        pytest.param(facts({"thinking": {"type": "adaptive"}}), "default", id="adaptive-thinking"),
        pytest.param(facts({"output_config": {"effort": "medium"}}), "default", id="medium-effort"),
        pytest.param(facts(ENABLED), "think", id="thinking-budget"),
        pytest.param(facts({"output_config": {"effort": "max"}}), "think", id="effort"),
        pytest.param(
            facts({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
            "think",
            id="high-effort",
        ),
        pytest.param(
            facts({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, "mock-large"),
            "default",
            id="the-default-effort-of-unknown-models",
        ),
        pytest.param(facts({"reasoning_effort": "high"}), "think", id="openai-effort"),
        pytest.param(
            facts({"thinking": {"type": "disabled"}, "reasoning_effort": "high"}), "default", id="no-thinking"
        ),
        pytest.param(facts({}, model="claude-haiku-4-5"), "background", id="haiku"),
        pytest.param(facts(ENABLED, model="claude-haiku-4-5"), "background", id="haiku-that-thinks"),
        pytest.param(
            facts({}, model="claude-haiku-4-5", x_claude_code_request_class="main"), "default", id="haiku-main"
        ),
        pytest.param(facts({}, x_claude_code_request_class="auxiliary"), "background", id="auxiliary"),
        pytest.param(facts(SEARCH), "web_search", id="web-search"),
        pytest.param(facts(said(IMAGE)), "image", id="image"),
        pytest.param(
            facts(said({"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]})),
            "image",
            id="in-a-result",
        ),
        pytest.param(facts(words("word " * 120_000)), "long_context", id="long"),
        pytest.param(facts({}, agent="a"), "subagent", id="subagent"),
        pytest.param(facts(ENABLED, agent="a"), "subagent", id="subagent-that-thinks"),
        pytest.param(facts(said(IMAGE), agent="a"), "image", id="subagent-that-sees"),
        pytest.param(facts({}, x_claude_code_compaction="manual"), "compaction", id="compaction"),
        pytest.param(facts(TITLE), "title", id="title"),
        pytest.param(facts(CLASSIFIER), "classifier", id="classifier"),
    ],
)
def test_each_task_has_its_route(seen: Facts, expected: str) -> None:
    assert route(config(*TASKS), seen) == expected


@pytest.mark.parametrize(
    ("tasks", "seen", "expected"),
    [
        pytest.param(("background", "think"), facts(CLASSIFIER), "default", id="a-classifier-never-falls"),
        pytest.param(
            ("background",), facts({**CLASSIFIER, "model": "x"}, "haiku"), "default", id="not-for-haiku"
        ),
        pytest.param(("background", "think"), facts(TITLE), "background", id="a-title-is-background-work"),
        pytest.param(("think",), facts(TITLE), "default", id="a-title-needs-no-thought"),
        pytest.param(("think",), facts(ENABLED, agent="a"), "think", id="a-subagent-that-thinks"),
        pytest.param(("think",), facts({**ENABLED, **said(IMAGE)}), "think", id="an-image-without-a-route"),
        pytest.param(("background",), facts({}, agent="a"), "default", id="a-subagent-works"),
        pytest.param(
            ("long_context",),
            facts(words("word " * 120_000), x_claude_code_compaction="auto"),
            "long_context",
            id="a-long-compaction",
        ),
    ],
)
def test_a_task_without_a_route_is_whatever_else_it_is(
    tasks: tuple[Task, ...], seen: Facts, expected: str
) -> None:
    assert route(config(*tasks), seen) == expected


@pytest.mark.parametrize("tokens", [100, 1000, 20_000])
def test_a_context_is_long_from_the_threshold_on(tokens: int) -> None:
    seen = facts(words("word " * tokens))
    exact = seen.input_tokens
    assert route(config("long_context", token_threshold=exact), seen) == "long_context"
    assert route(config("long_context", token_threshold=exact + 1), seen) == "default"


def test_tools_and_the_output_that_may_come_count_too() -> None:
    bare = facts({}).input_tokens
    tools = facts({"tools": [{"name": "t", "description": "word " * 1000, "input_schema": {}}]})
    assert tools.input_tokens > bare + 1000
    assert facts({"max_tokens": 500}).reaches(bare + 500)
    assert not facts({"max_tokens": 500}).reaches(bare + 501)
    most = bare + OUTPUT_COUNTED_TOKENS
    assert facts({"max_tokens": 128_000}).reaches(most)
    assert not facts({"max_tokens": 128_000}).reaches(most + 1)


def test_what_a_request_only_names_counts_though_its_bytes_are_few() -> None:
    named = {"type": "image", "source": {"type": "url", "url": "https://x.test/1.png"}}
    seen = facts(said(*[named] * 20))
    assert seen.request.estimate < 5_000
    assert seen.input_tokens > 30_000
    assert seen.reaches(30_000)


def test_a_configuration_without_tasks_looks_into_nothing() -> None:
    assert claimer_of(config()) is None
    assert claimer_of(Config(router=Router(tasks={"think": ()}, keywords=True))) is None


@pytest.mark.parametrize("task", [task for task, _ in KEYWORDS])
def test_words_choose_where_they_may(task: Task) -> None:
    phrases = next(phrases for name, phrases in KEYWORDS if name == task)
    for phrase in phrases:
        seen = facts(words(f"Please {phrase.upper()} it."))
        assert route(config(task, keywords=True), seen) == task
        assert route(config(task), seen) == "default"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(facts(words("search for it, step by step")), "web_search", id="in-the-order-of-the-rules"),
        pytest.param(facts({**words("search for it"), **ENABLED}), "think", id="what-is-shown-goes-first"),
        pytest.param(facts({**words("step by step"), **CLASSIFIER}), "default", id="not-for-the-classifier"),
        pytest.param(facts(words("step by step"), agent="a"), "default", id="not-for-subagents"),
        pytest.param(
            facts(
                {
                    "messages": [
                        {"role": "user", "content": "step by step"},
                        {"role": "assistant", "content": "yes"},
                        {
                            "role": "user",
                            "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}],
                        },
                    ]
                }
            ),
            "think",
            id="while-an-agent-works-at-it",
        ),
        pytest.param(
            facts(words("<system-reminder>step by step</system-reminder>")), "default", id="not-in-reminders"
        ),
    ],
)
def test_words_choose_only_where_nothing_else_does(seen: Facts, expected: str) -> None:
    assert route(config("web_search", "background", "think", keywords=True), seen) == expected


def test_a_request_may_be_several_tasks() -> None:
    assert tasks_of(facts({**ENABLED, **said(IMAGE)}, agent="a"), 100_000) == ("image", "subagent", "think")
    assert tasks_of(facts({**CLASSIFIER, **said(IMAGE)}), 1) == ("classifier",)


def test_an_alias_and_a_named_provider_go_before_tasks() -> None:
    tasks = config(*TASKS)
    assert route(tasks, facts(ENABLED, model="up/x")) == "provider"
    decision = decide(
        Config(providers=tasks.providers, models={"fast": (ModelTarget("up", "f"),)}, router=tasks.router),
        facts(ENABLED, "fast"),
    )
    assert decision.route == "alias"


def test_the_fallbacks_of_a_task_follow_its_target() -> None:
    other = Provider("other", "openai-chat", "https://other.test/v1", models=("claude-opus-5-5",))
    routes: dict[Task, Any] = {"think": (ModelTarget("up", "deep"), ModelTarget("other", "deeper"))}
    both = Config(providers=(UP, other), router=Router(tasks=routes, fallbacks=(ModelTarget("up", "last"),)))
    chosen = [(c.provider.id, c.model, c.route, c.tier) for c in decide(both, facts(ENABLED)).candidates]
    assert chosen[:4] == [
        ("up", "deep", "think", "optimal"),
        ("other", "deeper", "think", "optimal"),
        ("up", "last", "fallback", "optimal"),
        ("other", "claude-opus-5-5", "listed", "simple"),
    ]


SESSION = (
    ("headless plain, API key, default model (opus-5-5)", "default"),
    ("tool loop, second request (tool_result)", "default"),
    ("parallel tools, second request", "default"),
    ("older model (claude-sonnet-4-5), MAX_THINKING_TOKENS=4000", "think"),
    ("MAX_THINKING_TOKENS=0 on claude-sonnet-4-5", "default"),
    ("unknown model name (ANTHROPIC_MODEL=mock-large)", "default"),
    ("subagent (general-purpose), second request", "subagent"),
    ("subagent Explore, first request", "subagent"),
    ("ToolSearch result with tool_reference blocks", "default"),
    ("WebSearch inner request (server tool)", "web_search"),
    ("image read by the Read tool", "image"),
    ("--bare", "default"),
    ("/compact", "compaction"),
    ("first request after /compact", "default"),
    ("after max_tokens: continuation request", "default"),
    ("--json-schema: StructuredOutput tool", "default"),
    ("non-streaming fallback after a mid-stream error", "default"),
    ("after a generic 400: last rung of the ladder", "default"),
    ("CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1", "default"),
    ("CLAUDE_CODE_PROMPT_CACHE_TTL=1h", "default"),
    ("count_tokens for /context", "default"),
    ("count_tokens for /context", "default"),
    ("count_tokens for /context", "default"),
    ("hint headers (CLAUDE_CODE_GATEWAY_HINT_HEADERS=1): subagent", "subagent"),
    ("hint headers: compaction", "compaction"),
    ("interactive: session title (haiku model, json_schema)", "title"),
    ("interactive, auto mode: main request with safeguards", "default"),
    ("interactive, auto mode: classifier stage 1", "classifier"),
)
"""What Claude Code sent, and the route of each where every task has one."""


def captured() -> list[dict[str, Any]]:
    lines = (FIXTURES / "claude_code.jsonl").read_text(encoding="utf-8").splitlines()
    return [seen for seen in map(json.loads, lines) if seen["method"] == "POST"]


@pytest.mark.parametrize(("index", "expected"), [*enumerate(SESSION)])
def test_a_recorded_session_is_routed_request_by_request(index: int, expected: tuple[str, str]) -> None:
    seen = captured()[index]
    label, name = expected
    assert len(captured()) == len(SESSION)
    assert seen["label"].startswith(label)
    client = AnthropicClient()
    read = client.parse_count if seen["path"].endswith("count_tokens") else client.parse
    request = read(json.dumps(seen["body"]).encode(), seen["headers"])
    assert route(config(*TASKS), Facts(request)) == name


@pytest.mark.usefixtures("both_lanes")
async def test_header_and_log_say_the_route(autojump_clock: object) -> None:
    tasks: dict[Task, Any] = {"think": (ModelTarget("deep"),), "image": (ModelTarget("eyes"),)}
    names = ("up", "deep", "eyes")
    whole = config_of(*(provider(name, "openai-chat") for name in names), tasks=tasks)
    whole = replace(whole, router=replace(whole.router, default=(ModelTarget("up"),)))
    ask = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
    says = answers.says(200, answers.chat_reply())
    async with open_router(whole, up=says, deep=says, eyes=says) as world:
        heard = [await world.ask("/v1/messages", {**ask, **more}) for more in ({}, ENABLED, said(IMAGE))]
        counted = await world.ask("/v1/messages/count_tokens", {**ask, **ENABLED})
    assert [answer.headers["x-ucr-route"] for answer in heard] == ["default", "think", "image"]
    assert [answer.headers["x-ucr-provider"] for answer in heard] == ["up", "deep", "eyes"]
    assert [line["route"] for line in world.finished] == ["default", "think", "image", "think"]
    assert counted.headers["x-ucr-provider"] == "deep"
