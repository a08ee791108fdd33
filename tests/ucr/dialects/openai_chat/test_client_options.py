import hashlib
from typing import Any

import pytest

from tests.world.chat_client import USER, translate
from ucr.dialects.openai_chat.client_options import JSON_INSTRUCTION
from ucr.errors import ApiError


def options(**fields: Any) -> Any:
    body = translate(USER, **fields).body
    return {key: value for key, value in body.items() if key not in ("model", "messages")}


def notes(**fields: Any) -> tuple[str, ...]:
    return translate(USER, **fields).notes


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"max_tokens": 7}, {"max_tokens": 7}),
        ({"max_tokens": 7, "max_completion_tokens": 9}, {"max_tokens": 9}),
        ({"max_tokens": None, "max_completion_tokens": None}, {}),
        ({"temperature": 1.5, "top_p": 0, "top_k": 5}, {"temperature": 1.5, "top_p": 0, "top_k": 5}),
        ({"temperature": None}, {}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
        ({"stop": None}, {}),
        ({"stop": []}, {}),
        ({"n": 1, "modalities": ["text"]}, {}),
        ({"user": "u-1"}, {"metadata": {"user_id": "u-1"}}),
        ({"user": "u-1", "safety_identifier": "s-1"}, {"metadata": {"user_id": "s-1"}}),
        ({"user": "x" * 257}, {"metadata": {"user_id": hashlib.sha256(b"x" * 257).hexdigest()}}),
        ({"user": ""}, {}),
        ({"service_tier": "auto"}, {"service_tier": "auto"}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"response_format": {"type": "text"}}, {}),
        ({"stream": True}, {"stream": True}),
        ({"stream": False}, {}),
    ],
)
def test_a_parameter_has_its_canonical_form_and_no_note(fields: Any, expected: Any) -> None:
    assert options(**fields) == expected
    assert notes(**fields) == ()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reasoning_effort": None}, {}),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        (
            {"reasoning_effort": "minimal"},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        (
            {"reasoning_effort": "xhigh"},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}},
        ),
        (
            {"reasoning": {"effort": "max"}},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
        ),
        ({"reasoning": {"max_tokens": 4000}}, {"thinking": {"type": "enabled", "budget_tokens": 4000}}),
        ({"reasoning": {"enabled": True}}, {"thinking": {"type": "adaptive"}}),
        ({"reasoning": {"enabled": False}}, {"thinking": {"type": "disabled"}}),
        ({"reasoning": {}}, {}),
        ({"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}),
        ({"thinking": {"type": "enabled"}}, {"thinking": {"type": "adaptive"}}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 9}, "reasoning_effort": "high"},
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "output_config": {"effort": "high"}},
        ),
    ],
)
def test_how_much_to_think_is_read_in_three_dialects(fields: Any, expected: Any) -> None:
    assert options(**fields) == expected
    assert notes(**fields) == ()


def test_a_schema_for_the_answer_goes_beside_the_effort() -> None:
    schema = {"type": "object", "properties": {"t": {"type": "string", "maxLength": 9}}, "required": ["t"]}
    wished = {"type": "json_schema", "json_schema": {"name": "t", "strict": True, "schema": schema}}
    assert options(response_format=wished, reasoning_effort="low")["output_config"] == {
        "effort": "low",
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "properties": {"t": {"type": "string", "description": "(maxLength: 9)"}},
                "required": ["t"],
                "additionalProperties": False,
            },
        },
    }


def test_an_answer_in_json_is_asked_for_in_words() -> None:
    canonical = translate({"role": "system", "content": "s"}, USER, response_format={"type": "json_object"})
    assert canonical.body["system"] == [
        {"type": "text", "text": "s"},
        {"type": "text", "text": JSON_INSTRUCTION},
    ]
    assert canonical.notes == ("response_format json_object was sent as an instruction",)


def test_blank_stop_sequences_go_and_a_note_says_so() -> None:
    assert options(stop=["\n", "END", ""]) == {"stop_sequences": ["END"]}
    assert options(stop="\n\n") == {}
    assert notes(stop="\n\n") == ("blank stop sequences were dropped",)


@pytest.mark.parametrize("user", ["ann@example.com", "+49 170 123-4567", "(030) 123456"])
def test_a_user_that_looks_like_a_person_is_not_passed_on(user: str) -> None:
    assert options(user=user) == {}
    assert notes(user=user) == ("user was dropped because it looks like an e-mail address or a phone number",)


def test_a_tier_without_a_translation_goes_and_a_note_says_so() -> None:
    assert options(service_tier="flex") == {}
    assert notes(service_tier="flex") == (
        "service_tier was dropped because only auto and default can be translated",
    )


def test_what_has_no_canonical_form_goes_and_one_note_names_it() -> None:
    lost = {
        "seed": 0,
        "logprobs": True,
        "top_logprobs": 2,
        "logit_bias": {"1": 2},
        "presence_penalty": 0.5,
        "frequency_penalty": -1,
    }
    assert options(**lost) == {}
    assert notes(**lost) == (
        "dropped: frequency_penalty logit_bias logprobs presence_penalty seed top_logprobs",
    )


def test_what_changes_nothing_goes_quietly() -> None:
    quiet = {
        "logprobs": False,
        "logit_bias": {},
        "presence_penalty": 0,
        "frequency_penalty": 0.0,
        "seed": None,
        "store": True,
        "metadata": {"a": "b"},
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "stream_options": {"include_usage": True},
    }
    assert options(**quiet) == {}
    assert notes(**quiet) == ()


def test_fields_that_nobody_knows_are_named_when_a_header_can_hold_their_names() -> None:
    canonical = translate(USER, **{"zeta": 1, "alpha": {}, "bad\r\nname": 1, "nothing": None})
    assert canonical.body.keys() == {"model", "messages"}
    assert canonical.notes == ("unknown and dropped: alpha zeta",)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"max_tokens": 0}, "max_tokens: expected a whole number of at least 1, not 0"),
        (
            {"max_completion_tokens": "9"},
            "max_completion_tokens: expected a whole number of at least 1, not '9'",
        ),
        ({"temperature": "hot"}, "temperature: expected a number, not 'hot'"),
        ({"stop": 1}, "stop: expected a string or an array of strings, not 1"),
        ({"stop": ["a", 1]}, "stop[1]: expected a string, not 1"),
        ({"n": 2}, "n: this provider gives one answer; ask again for another"),
        ({"n": 0}, "n: expected a whole number of at least 1, not 0"),
        ({"modalities": ["text", "audio"]}, "modalities: this provider answers in text only"),
        ({"modalities": "audio"}, "modalities: expected an array, not 'audio'"),
        ({"user": 7}, "user: expected a string, not 7"),
        ({"service_tier": 7}, "service_tier: expected a string that is not empty, not 7"),
        (
            {"reasoning_effort": "huge"},
            "reasoning_effort: expected one of none, minimal, low, medium, high, xhigh, max, not 'huge'",
        ),
        (
            {"reasoning": {"effort": 1}},
            "reasoning.effort: expected one of none, minimal, low, medium, high, xhigh, max, not 1",
        ),
        ({"reasoning": "high"}, "reasoning: expected an object, not 'high'"),
        (
            {"reasoning": {"max_tokens": -1}},
            "reasoning.max_tokens: expected a whole number of at least 1, not -1",
        ),
        ({"thinking": {"type": "deep"}}, "thinking.type: expected enabled, adaptive or disabled, not 'deep'"),
        ({"thinking": True}, "thinking: expected an object, not True"),
        ({"response_format": "json"}, "response_format: expected an object, not 'json'"),
        (
            {"response_format": {"type": "xml"}},
            "response_format.type: expected text, json_object or json_schema, not 'xml'",
        ),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema: expected an object, not None",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "t"}}},
            "response_format.json_schema.schema: expected an object, not None",
        ),
    ],
)
def test_a_wrong_value_is_refused_at_its_path(fields: Any, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        translate(USER, **fields)
    assert caught.value.message == words
    assert caught.value.status == 400
