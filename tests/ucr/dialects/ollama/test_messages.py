from typing import Any

import pytest

from tests.world.chat import assistant, call, text, user
from tests.world.ollama import built, target
from ucr.errors import ApiError

PNG = "iVBORw0KGgoAAAANSUhEUg=="
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}


def written(*turns: Any, **fields: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = built({"messages": [*turns], **fields}, target("gemma3"))["messages"]
    return found


def result(id_: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": content, **more}


def test_the_system_prompt_comes_first_and_text_is_one_text() -> None:
    assert written(user(text("a"), text("b")), system=[text("be brief"), text("be kind")]) == [
        {"role": "system", "content": "be brief\n\nbe kind"},
        {"role": "user", "content": "a\n\nb"},
    ]


def test_calls_have_objects_as_arguments_and_results_the_name_of_their_tool() -> None:
    turns = written(
        user("go"),
        assistant(call("t1", "f", a=1), call("t2", "g")),
        user(result("t1", "one"), result("t2", "two", is_error=True), text("so?")),
    )
    assert turns[1] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "t1", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}},
            {"id": "t2", "function": {"index": 1, "name": "g", "arguments": {}}},
        ],
    }
    assert turns[2] == {"role": "tool", "content": "one", "tool_name": "f", "tool_call_id": "t1"}
    assert (turns[3]["tool_name"], turns[3]["content"]) == ("g", "Error: two")
    assert turns[4] == {"role": "user", "content": "so?"}


def test_an_image_stands_beside_the_text_as_plain_base64() -> None:
    assert written(user(IMAGE, text("what is it?"))) == [
        {"role": "user", "content": "what is it?", "images": [PNG]}
    ]


def test_an_image_in_a_result_follows_it() -> None:
    turns = written(user("go"), assistant(call("t1", "f")), user(result("t1", [IMAGE])))
    assert "images" not in turns[2]
    assert (turns[3]["role"], turns[3]["images"]) == ("user", [PNG])


@pytest.mark.parametrize("name", [pytest.param("edge-80", id="edge-80")])
def test_an_image_by_address_is_refused(name: str) -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
    with pytest.raises(ApiError, match=r"send https://x/y\.png as base64"):
        written(user(image))
