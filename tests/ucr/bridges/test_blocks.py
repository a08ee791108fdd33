"""Calls and results of server tools as blocks, and as words for a model."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.world.anthropic_requests import assistant, request_validator, user
from ucr.bridges.asked import Kind
from ucr.bridges.blocks import Found, Outcome, Page, call, is_own, result, tool_result

EVENT = json.loads((Path(__file__).parents[2] / "schemas" / "anthropic.stream-event.schema.json").read_bytes())

FOUND = Found("Cats", "https://cats.test/a", "They purr.", "2026-01-01")
PAGE = Page("https://cats.test/a", "Cats", "They purr.", "2026-11-25T00:00:00Z")


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("web_search", (FOUND,)),
        ("web_search", (Found("Dogs", "https://dogs.test"),)),
        ("web_search", ()),
        ("web_search", "too_many_requests"),
        ("web_fetch", PAGE),
        ("web_fetch", "url_not_in_prior_context"),
    ],
)
def test_blocks_are_what_the_messages_api_says(kind: Kind, outcome: Outcome) -> None:
    id_ = "srvtoolu_ucr_1"
    content = [call(id_, kind, {"query": "cats"}), result(id_, kind, outcome)]
    for block in content:
        assert is_own(block)
        event = {"type": "content_block_start", "index": 0, "content_block": block}
        assert list(Draft202012Validator(EVENT).iter_errors(event)) == []
    body = {
        "model": "m",
        "max_tokens": 5,
        "messages": [user({"type": "text", "text": "q"}), assistant(*content)],
    }
    assert list(request_validator().iter_errors(body)) == []


def test_a_wrong_block_would_be_found() -> None:
    event = {"type": "content_block_start", "index": 0, "content_block": {"type": "web_search_tool_result"}}
    assert list(Draft202012Validator(EVENT).iter_errors(event)) != []


def test_what_a_search_found_comes_back_to_the_model_in_the_next_turn() -> None:
    block = result("srvtoolu_ucr_1", "web_search", (FOUND, Found("Dogs", "https://dogs.test")))
    words = "1. Cats\nhttps://cats.test/a\n2026-01-01\nThey purr.\n\n2. Dogs\nhttps://dogs.test"
    assert tool_result(block, "call_1") == {"type": "tool_result", "tool_use_id": "call_1", "content": words}
    assert tool_result(result("i", "web_search", ()), "c")["content"] == "Nothing was found."


def test_what_only_anthropic_can_read_is_left_out() -> None:
    found = {"type": "web_search_result", "title": "Cats", "url": "https://c.test", "encrypted_content": "EvkS"}
    block = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [found, 7]}
    assert tool_result(block, "c")["content"] == "1. Cats\nhttps://c.test"
    assert not is_own(block)


def test_a_page_and_an_error_are_told_in_words() -> None:
    page = tool_result(result("i", "web_fetch", PAGE), "c")
    assert page["content"] == "Cats\nhttps://cats.test/a\n\nThey purr."
    failed = tool_result(result("i", "web_fetch", "url_not_allowed"), "c")
    assert (failed["content"], failed["is_error"]) == ("The tool failed: url_not_allowed.", True)


def test_a_document_stays_one_and_what_is_none_is_told() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    block = {"type": "web_fetch_tool_result", "content": {"content": {"type": "document", "source": source}}}
    assert tool_result(block, "c")["content"] == [{"type": "document", "source": source}]
    assert tool_result({"type": "web_fetch_tool_result", "content": 7}, "c")["is_error"] is True
