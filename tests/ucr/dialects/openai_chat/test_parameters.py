import hashlib
import json
from typing import Any

import pytest

from tests.world.chat import WEATHER, built, outgoing, target, user
from ucr.dialects.roles import Target


def sent(to: Target | None = None, **fields: Any) -> dict[str, Any]:
    return built({"messages": [user("hi")], **fields}, to)


def notes(to: Target | None = None, **fields: Any) -> tuple[str, ...]:
    return outgoing({"messages": [user("hi")], **fields}, to).notes


@pytest.mark.parametrize(
    ("provider", "model", "field"),
    [
        pytest.param("openai", "gpt-5-mini", "max_completion_tokens", id="edge-113"),
        ("openai", "gpt-4o", "max_tokens"),
        ("groq", "openai/gpt-oss-120b", "max_completion_tokens"),
        ("openrouter", "m", "max_completion_tokens"),
        ("mistral", "mistral-large-latest", "max_tokens"),
        ("local", "gpt-x", "max_tokens"),
        ("local", "gpt-5.6", "max_completion_tokens"),
    ],
)
def test_the_output_limit_has_the_name_that_the_model_knows(provider: str, model: str, field: str) -> None:
    body = sent(target(provider, model), max_tokens=1000)
    assert body[field] == 1000
    assert len({"max_tokens", "max_completion_tokens"} & set(body)) == 1


@pytest.mark.parametrize(
    ("wanted", "limit", "note"),
    [
        pytest.param(128_000, 16_384, "max_tokens lowered to 16384", id="edge-143"),
        pytest.param(0, 1, "max_tokens raised to 1", id="edge-144"),
        (-5, 1, "max_tokens raised to 1"),
        (16_384, 16_384, None),
    ],
)
def test_the_output_limit_is_kept_within_what_the_model_takes(
    wanted: int, limit: int, note: str | None
) -> None:
    to = target("openai", "gpt-4o")
    assert sent(to, max_tokens=wanted)["max_tokens"] == limit
    assert notes(to, max_tokens=wanted) == ((note,) if note else ())


@pytest.mark.parametrize("wrong", [None, "9", 1.5, True])
def test_without_an_output_limit_none_is_sent(wrong: Any) -> None:
    assert "max_tokens" not in sent(max_tokens=wrong)


@pytest.mark.parametrize(
    ("stops", "provider", "model", "kept", "note"),
    [
        pytest.param(
            ["a", " ", "b", "", "c", "d", "e", "f"],
            "openai",
            "gpt-4o",
            ["a", "b", "c", "d"],
            "dropped 2 of 6 stop sequences",
            id="edge-145",
        ),
        pytest.param(["a"], "openai", "gpt-5", None, "dropped 1 of 1 stop sequences", id="edge-145-reasoning"),
        (["\n"], "local", "m", None, None),
        ("a", "local", "m", None, None),
        (["</block>"], "deepseek", "m", ["</block>"], None),
    ],
)
def test_stop_sequences_are_those_that_the_model_takes(
    stops: Any, provider: str, model: str, kept: Any, note: str | None
) -> None:
    to = target(provider, model)
    assert sent(to, stop_sequences=stops).get("stop") == kept
    assert notes(to, stop_sequences=stops) == ((note,) if note else ())


def test_sampling_reaches_ordinary_models() -> None:
    body = sent(target("openrouter", "m"), temperature=0.5, top_p=1, top_k=40)
    assert (body["temperature"], body["top_p"], body["top_k"]) == (0.5, 1, 40)


def test_sampling_is_dropped_for_reasoning_models_with_a_note() -> None:
    to = target("openai", "gpt-5")
    assert not {"temperature", "top_p", "top_k"} & set(sent(to, temperature=1, top_p=0.9, top_k=1))
    assert notes(to, temperature=1, top_p=0.9, top_k=1) == (
        "dropped temperature",
        "dropped top_p",
        "dropped top_k",
    )


def test_a_reasoning_model_that_does_not_reason_samples() -> None:
    assert sent(target("openai", "gpt-5.6"), temperature=0.2, tools=[WEATHER])["temperature"] == 0.2
    assert sent(target("openai", "gpt-5.1"), temperature=1, thinking={"type": "disabled"})["temperature"] == 1


def test_top_k_and_values_of_the_wrong_type_are_left_out() -> None:
    body = sent(temperature="hot", top_p=True, top_k=5)
    assert not {"temperature", "top_p", "top_k"} & set(body)


@pytest.mark.parametrize(
    "user_id", [pytest.param(json.dumps({"device_id": "0" * 64, "n": "x" * 60}), id="edge-147")]
)
def test_a_long_user_id_is_hashed(user_id: str) -> None:
    digest = hashlib.sha256(user_id.encode()).hexdigest()
    body = sent(target("openai", "gpt-5"), metadata={"user_id": user_id})
    assert body["safety_identifier"] == body["prompt_cache_key"] == digest
    assert sent(target("groq", "m"), metadata={"user_id": user_id})["user"] == digest
    assert user_id.encode() not in outgoing({"messages": [user("hi")], "metadata": {"user_id": user_id}}).body


@pytest.mark.parametrize("metadata", [None, {}, {"user_id": 3}, {"user_id": ""}, "x"])
def test_without_a_user_id_none_is_sent(metadata: Any) -> None:
    assert "safety_identifier" not in sent(target("openai", "gpt-5"), metadata=metadata)
    assert sent(target("openai", "gpt-5"), metadata={"user_id": "u1"})["safety_identifier"] == "u1"


@pytest.mark.parametrize(("tier", "word"), [("auto", "auto"), ("standard_only", "default")])
def test_the_service_tier_is_told_to_providers_that_have_tiers(tier: str, word: str) -> None:
    assert sent(target("openai", "gpt-5"), service_tier=tier)["service_tier"] == word
    assert "service_tier" not in sent(service_tier=tier)
    assert notes(service_tier=tier) == (() if tier == "auto" else ("dropped service_tier",))


SCHEMA = {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"], "additionalProperties": False}
FORMAT = {"format": {"type": "json_schema", "schema": SCHEMA}}


def test_a_wanted_schema_becomes_the_response_format() -> None:
    written = {"name": "answer", "schema": SCHEMA, "strict": True}
    assert sent(target("openai", "gpt-5"), output_config=FORMAT)["response_format"] == {
        "type": "json_schema",
        "json_schema": written,
    }
    del written["strict"]
    assert sent(output_config=FORMAT)["response_format"]["json_schema"] == written


def test_gemini_gets_the_schema_in_its_subset() -> None:
    body = sent(target("google", "gemini-2.5-pro"), output_config=FORMAT)
    assert body["response_format"]["json_schema"]["schema"] == {
        "type": "object",
        "properties": {"a": {"type": "integer", "enum": ["1"], "format": "enum"}},
        "required": ["a"],
    }


@pytest.mark.parametrize(
    ("way", "said"), [("json_object", {"type": "json_object"}), ("none", None), ("json_schema", "schema")]
)
def test_a_provider_without_schemas_is_told_in_words(way: str, said: Any) -> None:
    body = sent(target("local", "m", response_format=way), output_config=FORMAT, system="be kind")
    has_words = body["messages"][0]["content"].startswith("be kind\n\nAnswer with one JSON object")
    assert has_words is (way != "json_schema")
    assert way == "json_schema" or body.get("response_format") == said


@pytest.mark.parametrize("format_", [None, {}, {"type": "text"}, {"type": "json_schema", "schema": 3}])
def test_without_a_schema_there_is_no_response_format(format_: Any) -> None:
    assert "response_format" not in sent(output_config={"format": format_})


@pytest.mark.parametrize(
    "field", [pytest.param("context_management", id="edge-148"), "mcp_servers", "container"]
)
def test_unknown_fields_are_dropped_with_a_note_that_names_them(field: str) -> None:
    fields = {field: {"edits": []}, "output_config": {"later": 1}}
    assert not {field, "output_config"} & set(sent(**fields))
    assert notes(**fields) == (f"dropped {field}", "dropped output_config.later")


def test_parameters_kept_for_openai_targets_are_dropped_in_silence() -> None:
    assert "seed" not in str(sent(openai={"seed": 1}))
    assert notes(openai={"seed": 1}, cache_control={"type": "ephemeral"}) == ()


def test_what_a_provider_rejects_is_left_out() -> None:
    assert "temperature" not in sent(target("local", "m", drop=("temperature", "absent")), temperature=1)
