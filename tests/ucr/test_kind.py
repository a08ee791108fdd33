"""What clients send a request for."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.roles import Request
from ucr.kind import Kind, hint_of, is_subagent, kind_of, names_a_session

CAPTURES = Path(__file__).parents[1] / "fixtures" / "captures" / "claude_code"
TITLE = {"output_config": {"format": {"type": "json_schema", "schema": {"properties": {"title": {}}}}}}
SUBAGENT = {"system": [{"type": "text", "text": "x-anthropic-billing-header: a; cc_is_subagent=true;"}]}
TOOLS = {"tools": [{"name": "t"}]}
NAMING = "You are a title generator. You output ONLY a thread title."
SUMMARY = [
    {"type": "tool_result", "tool_use_id": "t", "content": "x"},
    {"type": "text", "text": "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools."},
]


def asked(body: dict[str, Any], agent: str | None = None, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("anthropic", b"", body, "m", True, named, None, agent)


def said(*turns: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("plain", "main"),
        ("tool-loop", "main"),
        ("web_search", "main"),
        ("after-compact", "main"),
        ("structured_output", "main"),
        ("subagent", "subagent"),
        ("compact", "compaction"),
        ("session_title", "title"),
        ("classifier", "classifier"),
    ],
)
def test_what_claude_code_sends_shows_what_it_is_for(name: str, kind: Kind) -> None:
    seen = json.loads((CAPTURES / f"{name}.json").read_bytes())
    request = AnthropicClient().parse(json.dumps(seen["body"]).encode(), seen["headers"])
    assert kind_of(request) == kind


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        pytest.param(asked({}), "main", id="nothing"),
        pytest.param(asked({**TITLE, **TOOLS}), "main", id="a-form-with-a-title-and-tools"),
        pytest.param(asked({"system": NAMING}), "title", id="opencode-anthropic"),
        pytest.param(asked(said(("system", NAMING), ("user", "x"))), "title", id="opencode-chat"),
        pytest.param(asked(said(("user", NAMING))), "main", id="words-of-the-user"),
        pytest.param(
            asked({"input": [{"role": "developer", "content": NAMING}]}), "title", id="opencode-responses"
        ),
        pytest.param(
            asked({"systemInstruction": {"parts": [{"text": NAMING}]}}), "title", id="opencode-gemini"
        ),
        pytest.param(asked({"system": NAMING, **TOOLS}), "main", id="a-title-generator-with-tools"),
        pytest.param(asked(said(("user", SUMMARY))), "compaction", id="summary"),
        pytest.param(asked(said(("user", SUMMARY[1:]), ("user", "next"))), "main", id="an-earlier-summary"),
        pytest.param(asked({}, x_claude_code_compaction="auto"), "compaction", id="compaction-header"),
        pytest.param(asked({}, x_parent_session_id="s"), "subagent", id="opencode-subagent"),
        pytest.param(asked({"stop_sequences": ["</block>"]}), "classifier", id="stop"),
        pytest.param(asked({"stop_sequences": ["</block>"], **TOOLS}), "main", id="stop-with-tools"),
    ],
)
def test_what_other_clients_send_shows_it_too(request_: Request, kind: Kind) -> None:
    assert kind_of(request_) == kind


@pytest.mark.parametrize(
    ("headers", "body", "kind"),
    [
        pytest.param({"x_claude_code_request_class": "main"}, TITLE, "main", id="main"),
        pytest.param({"x_claude_code_request_class": "subagent"}, {}, "subagent", id="subagent"),
        pytest.param({"x_claude_code_request_class": "compaction"}, {}, "compaction", id="compaction"),
        pytest.param({"x_claude_code_request_class": "auxiliary"}, {}, "auxiliary", id="auxiliary"),
        pytest.param({"x_claude_code_request_class": "auxiliary"}, TITLE, "title", id="auxiliary-title"),
        pytest.param(
            {"x_claude_code_request_class": "auxiliary"},
            {"stop_sequences": ["</block>"]},
            "classifier",
            id="auxiliary-classifier",
        ),
        pytest.param({"x_claude_code_request_class": "workflow"}, SUBAGENT, "subagent", id="unknown"),
        pytest.param({"x_claude_1p_request_class": "blocking-subagent"}, {}, "subagent", id="first-party"),
        pytest.param({"x_claude_1p_request_class": "background-task"}, {}, "auxiliary", id="background-task"),
        pytest.param(
            {"x_claude_code_request_class": "compaction", "x_claude_1p_request_class": "main"},
            {},
            "compaction",
            id="as-captured",
        ),
    ],
)
def test_what_the_headers_say_goes_before_what_is_shown(
    headers: dict[str, str], body: dict[str, Any], kind: Kind
) -> None:
    assert kind_of(asked(body, **headers)) == kind


def test_a_header_that_is_not_there_says_nothing() -> None:
    assert hint_of({}) is None
    assert hint_of({"x-claude-code-request-class": "odd"}) is None
    assert hint_of({"x-claude-1p-request-class": "main"}) == "main"


def test_titles_and_subagents_are_told_by_their_bodies() -> None:
    assert names_a_session(TITLE)
    assert not names_a_session({"output_config": {"format": {"schema": "title"}}})
    assert is_subagent(asked(SUBAGENT))
    assert is_subagent(asked({}, agent="a"))
    assert not is_subagent(asked({"system": "cc_is_subagent=true"}))


WORDS = st.sampled_from(("role", "text", "parts", "content", "format", "schema", "properties"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    "messages",
    "input",
    "contents",
    "tools",
    "system",
    "systemInstruction",
    "output_config",
    "stop_sequences",
)


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_body_is_too_odd(body: dict[str, Any]) -> None:
    assert kind_of(asked(body)) in ("main", "compaction", "title", "classifier", "subagent")
