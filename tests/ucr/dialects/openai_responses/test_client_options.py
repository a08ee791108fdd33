from typing import Any

import pytest

from tests.world.responses_client import translate
from ucr.errors import ApiError


def made(**fields: Any) -> dict[str, Any]:
    body = translate(**fields).body
    return {key: value for key, value in body.items() if key not in ("model", "messages")}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_output_tokens": 9}, {"max_tokens": 9}),
        ({"temperature": 0.5, "top_p": 1}, {"temperature": 0.5, "top_p": 1}),
        ({"reasoning": {"effort": "none"}}, {"thinking": {"type": "disabled"}}),
        (
            {"reasoning": {"effort": "minimal"}},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        ({"reasoning": {"summary": "auto"}}, {"thinking": {"type": "adaptive"}}),
        ({"reasoning": {"effort": None, "summary": None}}, {}),
        ({"reasoning": None, "text": None, "max_output_tokens": None}, {}),
        ({"text": {"format": {"type": "text"}, "verbosity": None}}, {}),
        ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"stream": True}, {"stream": True}),
    ],
)
def test_a_parameter_has_its_canonical_form(fields: Any, expected: Any) -> None:
    assert made(**fields) == expected


def test_an_answer_may_have_to_follow_a_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}}
    format_ = {"type": "json_schema", "name": "x", "schema": schema, "strict": True}
    asked = made(text={"format": format_}, reasoning={"effort": "high"})
    assert asked["output_config"]["effort"] == "high"
    assert asked["output_config"]["format"]["schema"]["additionalProperties"] is False
    loose = translate(text={"format": {"type": "json_object"}})
    assert "valid JSON object" in loose.body["system"][0]["text"]


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"store": True}, "nothing is stored although store is true"),
        ({"text": {"verbosity": "low"}}, "dropped: verbosity"),
        ({"truncation": "auto", "top_logprobs": 3}, "dropped: top_logprobs truncation"),
        ({"whatever": 1}, "unknown and dropped: whatever"),
    ],
)
def test_what_is_lost_is_noted(fields: Any, note: str) -> None:
    assert note in translate(**fields).notes


def test_what_changes_nothing_is_not_noted() -> None:
    quiet = {"truncation": "disabled", "top_logprobs": 0, "store": False, "metadata": {"a": "b"}}
    assert translate(**quiet, include=["reasoning.encrypted_content"], prompt_cache_key="k").notes == ()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"background": True}, "background"),
        ({"store": "yes"}, "store"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"reasoning": 3}, "reasoning"),
        ({"text": 3}, "text"),
        ({"text": {"format": {"type": "x"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"temperature": "x"}, "temperature"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(fields: Any, param: str) -> None:
    with pytest.raises(ApiError) as caught:
        translate(**fields)
    assert (caught.value.status, caught.value.param) == (400, param)
