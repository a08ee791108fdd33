"""Thinking of other providers in messages that pass."""

import json
from typing import Any

from ucr.catalogue import Quirks
from ucr.dialects.openai_chat.client_layout import FIELD, pack
from ucr.dialects.openai_chat.foreign import with_required, without_foreign

CALLS = [{"id": "c", "type": "function", "function": {"name": "t", "arguments": "{}"}}]
SEALED = {
    "role": "assistant",
    "reasoning_content": "t",
    FIELD: pack([("thinking", 1, "sig")]),
    "tool_calls": CALLS,
}
DETAILED = {"role": "assistant", "reasoning": "t", "reasoning_details": [{"data": "d"}], "tool_calls": CALLS}
PLAIN = {"role": "assistant", "reasoning_content": "t", "content": "a"}
NEEDS = Quirks(reasoning_history="reasoning_content", reasoning_required=True)
DETAILS = Quirks(reasoning_history="reasoning_details")


def cleaned(quirks: Quirks, *messages: Any) -> list[Any] | None:
    return without_foreign(json.dumps(messages).encode(), list(messages), quirks)


def test_what_the_router_sealed_goes_everywhere() -> None:
    bare = {"role": "assistant", "tool_calls": CALLS}
    assert cleaned(Quirks(), SEALED, PLAIN) == [bare, PLAIN]
    assert cleaned(NEEDS, SEALED) == [bare]


def test_fields_of_another_family_go_where_the_own_field_is_known() -> None:
    assert cleaned(NEEDS, DETAILED) == [{"role": "assistant", "tool_calls": CALLS}]
    assert cleaned(DETAILS, PLAIN) == [{"role": "assistant", "content": "a"}]


def test_the_rest_passes() -> None:
    assert cleaned(Quirks(), DETAILED, PLAIN) is None
    assert cleaned(NEEDS, PLAIN, "no message") is None
    assert cleaned(DETAILS, DETAILED, {"role": "user", "content": "reasoning_content"}) is None
    assert cleaned(Quirks(), {"role": "assistant", FIELD: "another's"}) is None
    assert without_foreign(FIELD.encode(), "no list", Quirks()) is None


def test_a_turn_of_calls_gets_the_field_that_must_be_there() -> None:
    turn = {"role": "assistant", "tool_calls": CALLS}
    said = {"role": "assistant", "content": "a"}
    assert with_required([turn, said, "no message"], NEEDS) == [
        turn | {"reasoning_content": ""},
        said,
        "no message",
    ]
    kept = turn | {"reasoning_content": "t"}
    assert with_required([kept, said], NEEDS) is None
    assert with_required([turn], Quirks(reasoning_history="reasoning_content")) is None
    assert with_required("no list", NEEDS) is None
