from typing import Any

import pytest

from ucr.dialects.roles import Summary
from ucr.kept import COMPLETE, Kept, kept_of, may_keep, read, tag_of, written
from ucr.record import Record

KEPT = Kept(b'{"a":1}\n{"b":2}', False, "up", "m-1", "alias", "optimal", "end_turn", ("a note",), "fast")


def record(**changes: Any) -> Record:
    made = Record("req_1", "0", 0.0, lambda: 0.0, status=200, summary=Summary(stop_reason="end_turn"))
    made.tier = "optimal"
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("changes", "body", "kept"),
    [
        ({}, b"{}", True),
        ({}, b'{"text":"say \\"tool_use\\""}', True),
        ({"tier": "simple"}, b"{}", False),
        ({"tier": "emergency"}, b"{}", False),
        ({"status": 529}, b"{}", False),
        ({"error_type": "api_error"}, b"{}", False),
        ({"summary": Summary(stop_reason="max_tokens")}, b"{}", False),
        ({"summary": Summary(stop_reason="tool_use")}, b"{}", False),
        ({"summary": Summary(stop_reason="pause_turn")}, b"{}", False),
        ({"summary": Summary(stop_reason="refusal")}, b"{}", False),
        ({"summary": Summary(stop_reason="content_filter")}, b"{}", False),
        ({"summary": Summary()}, b"{}", False),
        ({}, b'{"content":[{"type":"tool_use"}]}', False),
        ({}, b'{"content":[{"type": "server_tool_use"}]}', False),
        ({}, b'data: {"content_block":{"type":"mcp_tool_use"}}', False),
        ({}, b'{"parts":[{"functionCall":{}}]}', False),
        ({}, b'{"output":[{"type":"web_search_call"}]}', False),
        ({}, b'{"candidates":[{"groundingMetadata":{"webSearchQueries":["news"]}}]}', False),
        ({}, b'{"candidates":[{"urlContextMetadata":{}}]}', False),
        ({}, b'{"parts":[{"executableCode":{"code":"1"}}]}', False),
        ({}, b'{"message":{"annotations":[{"type":"url_citation"}]}}', False),
        ({}, b'{"choices":[{"message":{"tool_calls":[{"id":"1"}]}}]}', False),
    ],
)
def test_only_whole_answers_without_tool_use_are_kept(changes: dict[str, Any], body: bytes, kept: bool) -> None:
    assert may_keep(record(**changes), body) is kept
    assert "end_turn" in COMPLETE


def test_what_is_written_is_read_as_it_was() -> None:
    assert read(written(KEPT)) == KEPT


@pytest.mark.parametrize("entry", [b"", b"{}\nbody", b"[1]\nbody", b"\xff\n", b'{"stream":true}'])
def test_what_was_not_written_here_is_nothing(entry: bytes) -> None:
    assert read(entry) is None


def test_the_record_speaks_of_the_answer_that_is_given_again() -> None:
    delivered = record(provider="up", model_used="m-1", route="alias", notes=("a note",), model_asked="fast")
    kept = kept_of(delivered, KEPT.body)
    assert kept == KEPT
    again = Record("req_2", "0", 0.0, lambda: 0.0)
    kept.note(again)
    assert (again.cache, again.provider, again.model_used, again.route) == ("hit", "up", "m-1", "alias")
    assert (again.tier, again.notes, again.attempts) == ("optimal", ("a note",), 0)
    assert again.summary == Summary(stop_reason="end_turn")


def test_an_answer_can_be_forgotten_by_its_provider_by_either_name_of_its_model_and_by_both() -> None:
    wanted = {
        tag_of(provider="up"),
        tag_of(model="fast"),
        tag_of(model="m-1"),
        tag_of(model="fast", provider="up"),
        tag_of(model="m-1", provider="up"),
    }
    assert set(KEPT.tags) == wanted
    assert len(KEPT.tags) == 5
    assert tag_of() is None
