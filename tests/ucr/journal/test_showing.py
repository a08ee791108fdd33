"""Entries in words."""

import json
from typing import Any

from ucr.journal.entry import Entry
from ucr.journal.reading import Found
from ucr.journal.showing import as_json, line, moment, story

ACCOUNT: dict[str, Any] = {
    "worker": "1",
    "dialect": "anthropic",
    "provider": "b",
    "model_asked": "claude-x",
    "model_used": "gpt-5",
    "route": "default",
    "tier": "optimal",
    "status": 200,
    "stream": True,
    "cache": "miss",
    "ttfb_ms": 12.5,
    "total_ms": 1203.4,
    "overhead_ms": 0.9,
    "input_tokens": 10,
    "output_tokens": None,
    "cache_read_tokens": 4,
    "error_type": None,
    "session_id": "s1",
    "agent_id": None,
    "client": "team",
    "healed": "removed temperature",
    "usage_estimated": True,
    "cost_usd": 0.0012,
    "upstream_request_id": "up_9",
    "notes": ["effort high became medium"],
    "considered": ["a/m (default, optimal)", "b/gpt-5 (default, optimal)"],
    "tried": ["a/m: 529 overloaded_error: busy"],
    "cut": ["answer"],
}


def found(request: str | None = None, **changes: Any) -> Found:
    account = {**ACCOUNT, **changes}
    text = json.dumps(account)
    return Found(
        3,
        Entry(1_764_000_000.5, "req_1", account["provider"], account["status"], False, text, request, request),
    )


def test_a_line_says_who_asked_for_what_and_what_came() -> None:
    assert line(found()) == (
        "2025-11-24T16:00:00.500Z  req_1  200  claude-x -> b/gpt-5  (default)  1203 ms  10/- tokens  $0.0012  cache miss"
    )


def test_a_line_of_a_request_that_reached_nobody_has_no_gaps() -> None:
    bare = found(
        provider="",
        model_asked="",
        route=None,
        cost_usd=None,
        cache="bypass",
        status=400,
        error_type="invalid_request_error",
    )
    assert line(bare) == "2025-11-24T16:00:00.500Z  req_1  400  -  1203 ms  10/- tokens  invalid_request_error"


def test_the_story_says_why_in_the_order_in_which_it_came() -> None:
    assert list(story(found("kept"))) == [
        "req_1  2025-11-24T16:00:00.500Z  worker 1",
        "  200 after 1203.4 ms, the first byte after 12.5 ms; the router's own part 0.9 ms",
        "  asked for: claude-x (anthropic, stream)",
        "  client: team",
        "  session: s1",
        "  route: default, tier optimal",
        "  candidates, in this order:",
        "    1 a/m (default, optimal)",
        "    2 b/gpt-5 (default, optimal)  <- answered",
        "  came to nothing:",
        "    a/m: 529 overloaded_error: busy",
        "  changed: effort high became medium",
        "  healed: removed temperature",
        "  cache: miss",
        "  tokens: 10 read (4 from the provider's cache), - written, estimated; cost $0.0012",
        "  the provider's id: up_9",
        "  kept: 4 characters asked, 4 answered; cut: answer",
    ]


def test_an_error_is_told_and_marks_nobody_as_the_one_who_answered() -> None:
    lines = list(story(found(status=529, error_type="overloaded_error")))
    assert "  error: overloaded_error" in lines
    assert not any("<- answered" in one for one in lines)


def test_as_json_it_is_one_object_with_the_bodies_that_were_kept() -> None:
    assert as_json(found()) == {"at": moment(1_764_000_000.5), **ACCOUNT}
    assert as_json(found("kept"))["answer"] == "kept"
