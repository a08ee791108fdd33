"""What a request holds that not every model can take."""

from typing import Any

import pytest

from ucr.config.model import Provider
from ucr.jsontext import JsonObject
from ucr.quirks import Quirks
from ucr.shape import first_user_turn, fits, has_images

IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aa"}}
INLINE = {"inlineData": {"mimeType": "image/png", "data": "aa"}}
PART = {"type": "input_image", "image_url": "x"}


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        pytest.param("image", False, id="words"),
        pytest.param([{"type": "text", "text": "image_url"}], False, id="text"),
        pytest.param([IMAGE], True, id="anthropic"),
        pytest.param([{"type": "image_url", "image_url": {"url": "x"}}], True, id="openai"),
        pytest.param([{"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]}], True, id="tool-result"),
        pytest.param([{"type": "tool_result", "tool_use_id": "t", "content": "image"}], False, id="tool-words"),
    ],
)
def test_images_are_found_wherever_they_are(content: Any, shown: bool) -> None:
    assert has_images({"messages": [{"role": "user", "content": content}]}) is shown


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param({"messages": [{"role": "user", "content": "x", "images": ["aa"]}]}, True, id="ollama"),
        pytest.param({"messages": [{"role": "user", "content": "x", "images": []}]}, False, id="ollama-none"),
        pytest.param({"prompt": "x", "images": ["aa"]}, True, id="ollama-generate"),
        pytest.param({"contents": [{"parts": [INLINE]}]}, True, id="gemini"),
        pytest.param(
            {"contents": [{"parts": [{"functionResponse": {"parts": [INLINE]}}]}]}, True, id="response"
        ),
        pytest.param({"contents": [{"parts": [{"functionResponse": {"name": "f"}}]}]}, False, id="words"),
        pytest.param({"input": [{"type": "function_call_output", "output": [PART]}]}, True, id="responses"),
        pytest.param({"messages": [{"content": [{"type": "document", "source": {"content": [IMAGE]}}]}]}, True),
    ],
)
def test_images_are_found_in_every_dialect(body: JsonObject, shown: bool) -> None:
    assert has_images(body) is shown


def test_a_body_without_messages_shows_nothing() -> None:
    assert not has_images({})


def test_a_model_fits_when_it_takes_what_is_there() -> None:
    blind = Provider("p", "openai-chat", "", quirks=Quirks(text_models=("blind*",)))
    body = {"messages": [{"role": "user", "content": [IMAGE]}]}
    assert fits(blind, "seeing-1", body)
    assert not fits(blind, "blind-1", body)
    assert fits(blind, "blind-1", {"messages": []})


def test_a_provider_without_tools_serves_no_request_that_has_some() -> None:
    bare = Provider("p", "openai-chat", "", quirks=Quirks(tools=False))
    assert not fits(bare, "m", {"messages": [], "tools": [{"name": "t"}]})
    assert fits(bare, "m", {"messages": [], "tools": []})


def test_the_first_turn_of_the_user_is_found() -> None:
    first = {"role": "user", "content": "first"}
    turns = [{"role": "system", "content": "s"}, first, {"role": "user", "content": "last"}]
    assert first_user_turn({"messages": turns}) == first
    assert first_user_turn({"input": "first"}) == {}
