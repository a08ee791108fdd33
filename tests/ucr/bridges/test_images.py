"""Images of a request, wherever they stand, and words in their place."""

from typing import Any

from tests.world.anthropic_requests import user
from ucr.bridges.images import PROMPT, digest_of, images_of, question, with_words


def image(data: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def result(*content: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "a", "content": list(content)}


TEXT = {"type": "text", "text": "t"}
BODY: dict[str, Any] = {
    "messages": [
        {"role": "user", "content": "words"},
        user(TEXT, image("A")),
        user(result(image("B"), TEXT), result(), {"type": "tool_result", "content": "words"}),
        user({"type": "document", "source": {"type": "content", "content": [image("C"), TEXT]}}, image("A")),
    ]
}


def data_of(block: dict[str, Any]) -> str:
    return str(block["source"]["data"])


def test_each_image_is_found_once() -> None:
    assert [data_of(block) for block in images_of(BODY)] == ["A", "B", "C"]
    assert images_of({"messages": 7}) == []


def test_words_stand_where_the_images_stood() -> None:
    made = with_words(BODY, lambda block: f"[{data_of(block)}]")
    assert images_of(made) == []
    turns = made["messages"]
    assert turns[0] == BODY["messages"][0]
    assert turns[1]["content"] == [TEXT, {"type": "text", "text": "[A]"}]
    assert turns[2]["content"][0]["content"] == [{"type": "text", "text": "[B]"}, TEXT]
    assert turns[3]["content"][0]["source"]["content"][0]["text"] == "[C]"
    assert len(images_of(BODY)) == 3


def test_a_digest_is_of_what_is_shown_and_of_the_key() -> None:
    marked = {**image("A"), "cache_control": {"type": "ephemeral"}}
    assert digest_of(marked) == digest_of(image("A")) != digest_of(image("B"))
    assert digest_of(image("A"), b"key") != digest_of(image("A"))


def test_the_question_holds_the_image_alone() -> None:
    asked = question({**image("A"), "cache_control": {}}, 100)
    assert asked["max_tokens"] == 100
    assert asked["messages"] == [user(image("A"), {"type": "text", "text": PROMPT})]
