from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.anthropic_requests import (
    CALL,
    RESULT,
    TEXT,
    assistant,
    request,
    request_validator,
    system,
    target,
    user,
)
from ucr.dialects import envelope
from ucr.dialects.anthropic import build, history
from ucr.dialects.roles import Canonical
from ucr.errors import ApiError

ADAPTIVE = {"type": "adaptive"}
OURS = {"type": "thinking", "thinking": "x", "signature": envelope.seal("deepseek", {})}
CLAUDES = {"type": "thinking", "thinking": "", "signature": "EqQBCgIYAg"}
REMINDER = user({"type": "text", "text": "<system-reminder>\ns\n</system-reminder>"})


def translated(model: str, *, stream: bool = False, quirks: dict[str, Any] | None = None, **body: Any) -> Any:
    """Return the body for an OpenAI client's request to a model, without what every body has."""
    canonical = Canonical({"messages": [user(TEXT)], **body}, ("earlier note",))
    changed, notes = build.translated(canonical, request({}, stream=stream), target(model, **(quirks or {})))
    assert notes[0] == "earlier note"
    assert changed.pop("model") == model
    return changed, notes[1:]


def body_of(model: str, **body: Any) -> dict[str, Any]:
    changed: dict[str, Any] = translated(model, **body)[0]
    return changed


@pytest.mark.parametrize(
    ("model", "quirks", "asked", "limit"),
    [
        ("claude-opus-5-5", {}, None, 64_000),
        ("claude-3-haiku", {}, None, 4096),
        ("mock-large", {}, None, 8192),
        ("mock-large", {"max_output_tokens": 2000}, None, 2000),
        ("claude-opus-5-5", {"max_output_tokens": 2000}, 9000, 2000),
        ("claude-opus-5-5", {}, 0, 0),
    ],
)
def test_every_request_has_an_output_limit(model: str, quirks: Any, asked: int | None, limit: int) -> None:
    assert body_of(model, quirks=quirks, max_tokens=asked)["max_tokens"] == limit


def test_streaming_is_said_only_when_it_is_wanted() -> None:
    assert body_of("m", stream=True)["stream"] is True
    assert "stream" not in body_of("m", stream=False)


@pytest.mark.parametrize(
    ("model", "given_", "expected", "notes"),
    [
        pytest.param(
            "claude-opus-5-5",
            {"temperature": 0.7},
            {},
            ("left out for this model: temperature",),
            id="edge-138",
        ),
        pytest.param(
            "claude-haiku-4-5",
            {"temperature": 1.5, "top_k": 3},
            {"temperature": 1, "top_k": 3},
            ("temperature lowered to 1",),
            id="edge-138-clamped",
        ),
        pytest.param(
            "claude-haiku-4-5",
            {"temperature": 0.7, "top_p": 0.9},
            {"temperature": 0.7, "top_p": 0.9},
            (),
            id="edge-137",
        ),
        pytest.param("mock-large", {"temperature": 1.5}, {"temperature": 1.5}, (), id="a-model-nobody-knows"),
        pytest.param(
            "claude-opus-4-6",
            {"temperature": 0.7, "thinking": ADAPTIVE},
            {"thinking": ADAPTIVE},
            ("left out for this model: temperature",),
            id="sampling-beside-thinking",
        ),
    ],
)
def test_sampling_is_what_the_model_takes(model: str, given_: Any, expected: Any, notes: Any) -> None:
    changed, found = translated(model, max_tokens=9000, **given_)
    assert (changed, found) == ({"messages": [user(TEXT)], "max_tokens": 9000, **expected}, notes)


@pytest.mark.parametrize(
    ("model", "thinking", "expected"),
    [
        pytest.param("claude-opus-4-7", {"type": "enabled", "budget_tokens": 9000}, ADAPTIVE, id="edge-139"),
        pytest.param("claude-fable-5", {"type": "disabled"}, None, id="edge-140"),
        pytest.param(
            "claude-haiku-4-5",
            {"type": "enabled", "budget_tokens": 99_000},
            {"type": "enabled", "budget_tokens": 31_999},
            id="edge-141",
        ),
        pytest.param("mock-large", ADAPTIVE, ADAPTIVE, id="a-model-nobody-knows"),
    ],
)
def test_thinking_is_what_the_model_takes(model: str, thinking: Any, expected: Any) -> None:
    assert body_of(model, max_tokens=32_000, thinking=thinking).get("thinking") == expected


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param({"type": "any"}, id="edge-142-any"),
        pytest.param({"type": "tool", "name": "n"}, id="edge-142-tool"),
    ],
)
def test_a_forced_tool_beside_thinking_is_left_to_the_api(choice: Any) -> None:
    tools = [{"name": "n", "input_schema": {"type": "object"}}]
    body = body_of("claude-opus-4-6", thinking=ADAPTIVE, tools=tools, tool_choice=choice)
    assert (body["thinking"], body["tool_choice"]) == (ADAPTIVE, choice)


def test_budgeted_thinking_gives_way_in_a_turn_that_began_without_it() -> None:
    turns = [user(TEXT), assistant(CALL), user(RESULT)]
    body, notes = translated("claude-haiku-4-5", max_tokens=9000, thinking=ADAPTIVE, messages=turns)
    assert "thinking" not in body
    assert notes[-1] == "thinking left out: this turn began without it"


@pytest.mark.parametrize(
    ("model", "quirks", "stays"),
    [
        ("claude-opus-5-5", {}, True),
        ("claude-opus-4-5", {}, False),
        ("mock-large", {}, True),
        ("mock-large", {"mid_system": False}, False),
    ],
)
def test_a_system_turn_is_a_reminder_where_the_model_takes_none(model: str, quirks: Any, stays: bool) -> None:
    turns = [user(TEXT), system("s")]
    last = body_of(model, quirks=quirks, messages=turns)["messages"][-1]
    assert last == ({"role": "system", "content": [{"type": "text", "text": "s"}]} if stays else REMINDER)


def test_a_history_is_put_in_order() -> None:
    turns = [
        assistant({"type": "text", "text": ""}, OURS, CALL),
        user(TEXT, RESULT),
        user({"type": "text", "text": " "}),
    ]
    assert body_of("claude-haiku-4-5", messages=turns)["messages"] == [
        user(TEXT) | {"content": "(the conversation begins with an answer)"},
        assistant(CALL),
        user(RESULT, TEXT),
    ]


@pytest.mark.parametrize(
    ("model", "quirks", "stays"),
    [
        ("claude-opus-4-5", {}, True),
        ("claude-opus-4-6", {}, False),
        ("mock-large", {}, True),
        ("mock-large", {"prefill": "drop"}, False),
    ],
)
def test_a_prefill_is_for_the_models_that_go_on_with_one(model: str, quirks: Any, stays: bool) -> None:
    turns = [user(TEXT), assistant({"type": "text", "text": "so \n"})]
    body, notes = translated(model, quirks=quirks, messages=turns)
    prefilled = [user(TEXT), assistant({"type": "text", "text": "so"})]
    assert body["messages"] == (prefilled if stays else [user(TEXT)])
    assert bool(notes) is not stays


def test_an_empty_list_of_tools_goes_with_its_choice() -> None:
    body = body_of("m", tools=[], tool_choice={"type": "auto"})
    assert "tools" not in body and "tool_choice" not in body


def test_what_the_provider_refuses_and_what_is_anothers_is_left_out() -> None:
    body = body_of(
        "m", quirks={"drop": ("metadata",)}, metadata={"user_id": "u"}, openai={"seed": 1}, system=None
    )
    assert set(body) == {"messages", "max_tokens"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": [user({"type": "text", "text": " "})]}, "at least one message with content"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        ({"max_tokens": "many"}, "max_tokens: Input should be a valid integer"),
    ],
)
def test_what_cannot_be_said_is_refused(body: Any, words: str) -> None:
    with pytest.raises(ApiError, match=words):
        translated("m", **body)


def adapted(body: Any, asked: str, used: str, **quirks: Any) -> Any:
    has_own = history.has_own(body["messages"])
    changed, _ = build.adapted(body, asked, target(used, **quirks), has_own=has_own)
    return changed


HISTORY = {"messages": [user(TEXT), assistant(CLAUDES, TEXT), user(TEXT), system("s")], "max_tokens": 9000}


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        pytest.param("claude-opus-5-5", "claude-opus-5-5", id="edge-99-same-model"),
        pytest.param("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", id="edge-99-same-family"),
        pytest.param("claude-opus-5-5", "claude-sonnet-5-5", id="edge-100-foreign-thinking-is-ignored"),
        pytest.param("claude-opus-5-5", "deepseek-v4-pro", id="edge-193"),
    ],
)
def test_a_body_that_can_stay_is_the_same_object(asked: str, used: str) -> None:
    assert adapted(HISTORY, asked, used) is HISTORY


@pytest.mark.parametrize("used", [pytest.param("claude-sonnet-4-5", id="edge-100")])
def test_an_older_claude_gets_no_thinking_of_another(used: str) -> None:
    assert adapted(HISTORY, "claude-opus-5-5", used)["messages"] == [
        user(TEXT),
        assistant(TEXT),
        user(TEXT),
        REMINDER,
    ]


@pytest.mark.parametrize("used", [pytest.param("deepseek-v4-pro", id="edge-102")])
def test_what_only_a_claude_can_read_goes_to_no_other_model(used: str) -> None:
    body = {"messages": [user(TEXT), assistant({"type": "redacted_thinking", "data": "x"}, TEXT)]}
    assert adapted(body, "claude-opus-5-5", used) == {"messages": [user(TEXT), assistant(TEXT)]}
    assert adapted(body, "deepseek-v4-pro", used) is body


def test_an_alias_keeps_the_thinking_of_the_model_behind_it() -> None:
    assert adapted(HISTORY, "my-alias", "claude-sonnet-4-5")["messages"][1] == assistant(CLAUDES, TEXT)


@pytest.mark.parametrize("asked", [pytest.param("claude-opus-5-5", id="edge-97")])
def test_our_own_thinking_is_taken_out_for_every_model(asked: str) -> None:
    body = {"messages": [user(TEXT), assistant(OURS, CALL), user(RESULT)], "max_tokens": 9000}
    body["thinking"] = {"type": "enabled", "budget_tokens": 2000}
    assert adapted(body, asked, asked) == {
        "messages": [user(TEXT), assistant(CALL), user(RESULT)],
        "max_tokens": 9000,
    }


def test_another_family_gets_thinking_and_sampling_as_it_takes_them() -> None:
    body = {
        "messages": [user(TEXT)],
        "max_tokens": 32_000,
        "thinking": ADAPTIVE,
        "output_config": {"effort": "high"},
    }
    body["temperature"] = 1
    changed = adapted(body, "claude-opus-5-5", "claude-haiku-4-5")
    assert changed["thinking"] == {"type": "enabled", "budget_tokens": 19_200}
    assert "output_config" not in changed and "temperature" not in changed


def test_null_fields_are_as_good_as_absent() -> None:
    body = {
        "messages": [user(TEXT)],
        "max_tokens": None,
        "temperature": None,
        "thinking": None,
        "output_config": None,
    }
    assert adapted(body, "claude-opus-5-5", "claude-haiku-4-5")["messages"] == [user(TEXT)]


def test_a_count_has_no_limit_and_its_thinking_is_measured_by_the_models() -> None:
    body = {"messages": [user(TEXT)], "thinking": ADAPTIVE}
    changed = adapted(body, "claude-opus-5-5", "claude-haiku-4-5")
    assert changed["thinking"] == {"type": "enabled", "budget_tokens": 38_400}


def test_system_turns_become_reminders_without_their_settings() -> None:
    turns = [user(TEXT), {**system("s"), "output_config": {"effort": "low"}}, {"role": "system", "content": []}]
    body = {"messages": turns, "max_tokens": 1}
    assert adapted(body, "mock", "mock", mid_system=False)["messages"] == [user(TEXT), REMINDER]


_TEXTS = st.sampled_from(["", " ", "t"]).map(lambda text: {"type": "text", "text": text})
_WORDS = st.sampled_from(["", "t"])


def _turns_of(role: str, *others: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    content = _WORDS | st.lists(_TEXTS | st.sampled_from(others) if others else _TEXTS, max_size=4)
    return content.map(lambda value: {"role": role, "content": value})


_TURN = _turns_of("user", RESULT) | _turns_of("assistant", CALL, OURS, CLAUDES) | _turns_of("system")
_TURNS = st.lists(_TURN, min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=60)
@given(_TURNS, st.sampled_from(["claude-opus-5-5", "claude-haiku-4-5", "mock"]))
def test_any_history_becomes_a_request_of_the_api(turns: Any, model: str) -> None:
    try:
        body, _ = translated(model, messages=turns)
    except ApiError:
        return
    assert request_validator().is_valid({**body, "model": model})
    assert body["messages"][0]["role"] == "user"
    blocks = [
        block for turn in body["messages"] for block in turn["content"] if isinstance(turn["content"], list)
    ]
    assert all(block.get("text", "x").strip() for block in blocks)
    assert OURS not in blocks
