from typing import Any

import pytest

from ucr.dialects.ollama.client_messages import Messages
from ucr.errors import ApiError

PNG = "iVBORw0KGgoAAAANSUhEUg=="


def read(*messages: Any) -> list[dict[str, Any]]:
    reader = Messages()
    return [reader.read(message, f"messages[{index}]") for index, message in enumerate(messages)]


def called(*names: str) -> dict[str, Any]:
    calls = [{"function": {"name": name, "arguments": {}}} for name in names]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def test_results_without_ids_answer_the_calls_by_name_and_in_order() -> None:
    results = [{"role": "tool", "content": "x", "tool_name": name} for name in ("g", "f", "f")]
    made = read(called("f", "g", "f"), *results)
    assert [call["id"] for call in made[0]["tool_calls"]] == ["call_1", "call_2", "call_3"]
    assert [message["tool_call_id"] for message in made[1:]] == ["call_2", "call_1", "call_3"]


def test_a_result_without_a_name_answers_the_first_open_call_of_the_latest_turn() -> None:
    made = read(called("f"), called("g"), {"role": "tool", "content": "x"}, {"role": "tool", "content": "y"})
    assert [message["tool_call_id"] for message in made[2:]] == ["call_2", "call_0"]


def test_ids_that_are_given_are_kept() -> None:
    call = {"id": "mine", "function": {"name": "f"}}
    made = read({"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "mine"})
    assert (made[0]["tool_calls"][0]["id"], made[1]["tool_call_id"]) == ("mine", "mine")


def test_images_follow_the_text_with_the_type_that_they_have() -> None:
    (made,) = read({"role": "user", "content": "see", "images": [PNG]})
    assert made["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ]


@pytest.mark.parametrize(
    ("message", "path"),
    [
        (1, r"messages\[0\]"),
        ({"role": "user", "content": []}, r"messages\[0\].content"),
        ({"role": "user", "images": [1]}, r"messages\[0\].images\[0\]"),
        ({"role": "assistant", "tool_calls": 1}, r"messages\[0\].tool_calls"),
        ({"role": "assistant", "tool_calls": [1]}, r"messages\[0\].tool_calls\[0\]"),
    ],
)
def test_what_cannot_be_a_message_is_named(message: Any, path: str) -> None:
    with pytest.raises(ApiError, match=path):
        read(message)
