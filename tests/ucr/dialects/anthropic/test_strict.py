import json
from pathlib import Path
from typing import Any

import pytest

from tests.world.anthropic_streams import START, STOP, closed, ended, opened, part
from ucr.dialects.anthropic import strict
from ucr.dialects.anthropic.strict import Documented

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "anthropic.stream-event.schema.json").read_bytes())


def types_of(definition: str, field: str) -> set[str]:
    references = SCHEMA["$defs"][definition]["properties"][field]["anyOf"]
    names = [reference["$ref"].rsplit("/", 1)[1] for reference in references]
    return {SCHEMA["$defs"][name]["properties"]["type"]["const"] for name in names}


def test_the_documented_types_are_those_of_the_schema() -> None:
    references = [reference["$ref"].rsplit("/", 1)[1] for reference in SCHEMA["anyOf"]]
    assert {SCHEMA["$defs"][name]["properties"]["type"]["const"] for name in references} == set(strict.EVENTS)
    assert types_of("RawContentBlockStartEvent", "content_block") == set(strict.BLOCKS)
    assert types_of("RawContentBlockDeltaEvent", "delta") == set(strict.DELTAS)
    reasons = SCHEMA["$defs"]["Delta"]["properties"]["stop_reason"]["anyOf"][0]["enum"]
    assert set(reasons) == set(strict.STOP_REASONS)


def kept(*events: dict[str, Any]) -> list[dict[str, Any] | None]:
    documented = Documented()
    return [documented.kept(event) for event in events]


TEXT = {"type": "text", "text": ""}
FUTURE = {"type": "future_block"}


def test_what_is_documented_stays_the_same_object() -> None:
    events = [START, opened(0, TEXT), part(0, {"type": "text_delta"}), closed(0), ended("end_turn"), STOP]
    assert all(after is before for before, after in zip(events, kept(*events), strict=True))


def test_a_block_nobody_documented_goes_with_its_parts_and_leaves_no_gap() -> None:
    events = kept(
        opened(0, TEXT),
        closed(0),
        opened(1, FUTURE),
        part(1, {"type": "text_delta"}),
        closed(1),
        opened(2, TEXT),
        part(2, {"type": "future_delta"}),
        part(2, {"type": "text_delta"}),
        closed(2),
    )
    assert events == [
        opened(0, TEXT),
        closed(0),
        None,
        None,
        None,
        opened(1, TEXT),
        None,
        part(1, {"type": "text_delta"}),
        closed(1),
    ]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "future_event"},
        {"type": None},
        {"type": ["ping"]},
        {},
        closed(9),
        part(0, {}),
        {"type": "content_block_delta", "delta": {"type": ["text_delta"]}},
        {"type": "content_block_start", "index": "0", "content_block": TEXT},
        {"type": "content_block_start", "index": [], "content_block": {"type": []}},
    ],
)
def test_what_is_not_documented_is_left_out(event: dict[str, Any]) -> None:
    assert kept(event) == [None]


def test_a_second_start_is_left_out() -> None:
    assert kept(START, START) == [START, None]


@pytest.mark.parametrize("reason", ["compaction", "future", None, ["end_turn"]])
def test_an_unknown_stop_reason_becomes_the_plain_one(reason: Any) -> None:
    assert kept(ended(reason)) == [ended("end_turn")]


def test_an_end_of_another_shape_stays() -> None:
    assert kept({"type": "message_delta", "delta": 5}) == [{"type": "message_delta", "delta": 5}]
