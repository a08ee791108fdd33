from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat import WEATHER, assistant, call, result, text, user
from tests.world.replicate import MODEL, built, outgoing, target
from ucr.dialects.replicate.build import path
from ucr.errors import ApiError

ASK: dict[str, Any] = {"messages": [user("hi")], "max_tokens": 50, "system": "Be brief."}


@pytest.mark.parametrize(
    ("model", "place", "version"),
    [
        (MODEL, f"/models/{MODEL}/predictions", {}),
        ("me/mine:5c7d5dc6", "/predictions", {"version": "5c7d5dc6"}),
        ("5c7d5dc6", "/predictions", {"version": "5c7d5dc6"}),
        ("a/b/../c?d", "/models/a/b%2F..%2Fc%3Fd/predictions", {}),
    ],
)
def test_a_model_is_asked_by_its_name_or_by_its_version(
    model: str, place: str, version: dict[str, str]
) -> None:
    assert path(model) == outgoing(ASK, target(model)).path == place
    made = built(ASK, target(model))
    assert {key: value for key, value in made.items() if key != "input"} == version


def test_whole_answers_are_waited_for_and_streams_are_asked_for() -> None:
    assert dict(outgoing(ASK).headers)["prefer"] == "wait=5"
    streamed = outgoing(ASK, stream=True)
    assert "prefer" not in dict(streamed.headers)
    assert built(ASK, stream=True)["stream"] is True


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            MODEL,
            {
                "prompt": "hi",
                "system_prompt": "Be brief.",
                "max_tokens": 50,
                "temperature": 0.5,
                "top_p": 0.9,
                "top_k": 7,
                "stop_sequences": "a,b",
            },
        ),
        ("meta/llama-2-70b-chat", {"max_new_tokens": 50}),
        ("anthropic/claude-4-sonnet", {"prompt": "hi", "system_prompt": "Be brief.", "max_tokens": 50}),
        ("openai/gpt-5", {"max_completion_tokens": 50, "reasoning_effort": "high"}),
        ("google/gemini-2.5-flash", {"system_instruction": "Be brief.", "max_output_tokens": 50}),
        ("deepseek-ai/deepseek-v3", {"prompt": "Be brief.\n\nhi", "max_tokens": 50}),
    ],
)
def test_inputs_have_the_names_that_the_model_gives_them(model: str, expected: dict[str, Any]) -> None:
    more = {"temperature": 0.5, "top_p": 0.9, "top_k": 7, "stop_sequences": ["a", "b"]}
    wish = {"output_config": {"effort": "high"}}
    made = built({**ASK, **more, **wish}, target(model))["input"]
    assert {key: made.get(key) for key in expected} == expected
    assert set(made) <= {
        *expected,
        "prompt",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "system_prompt",
    }


def test_what_a_model_has_no_input_for_is_left_out_and_noted() -> None:
    made = outgoing({**ASK, "temperature": 0.5}, target("anthropic/claude-4-sonnet"))
    assert "dropped temperature" in made.notes
    assert "temperature" not in built({**ASK, "temperature": 0.5}, target(drop=("temperature",)))["input"]


def test_a_conversation_with_tools_becomes_words() -> None:
    turns = [user("Weather?"), assistant(text("I look."), call("t", city="Rome")), user(result("t", "sunny"))]
    made = outgoing({**ASK, "messages": turns, "tools": [WEATHER]})
    assert "dropped all tools" in made.notes
    prompt = built({**ASK, "messages": turns, "tools": [WEATHER]})["input"]["prompt"]
    assert prompt.startswith("User: Weather?\n\nAssistant: I look.")
    assert "sunny" in prompt and prompt.endswith("Assistant:")


def test_a_schema_is_told_in_words() -> None:
    config = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    assert "JSON Schema" in built({**ASK, "output_config": config})["input"]["system_prompt"]


def test_an_image_is_refused() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    with pytest.raises(ApiError, match="takes no images"):
        outgoing({**ASK, "messages": [user(text("a"), image)]})


TURNS = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant", "system"]),
        st.lists(st.sampled_from([text("a"), call("t"), result("t", "x"), {"type": "novel"}]), max_size=3),
    ),
    max_size=5,
)


@settings(max_examples=60)
@given(TURNS)
def test_nothing_but_our_own_errors_come_out(turns: list[Any]) -> None:
    try:
        made = built({**ASK, "messages": turns})
    except ApiError:
        return
    assert made["input"]["prompt"]
