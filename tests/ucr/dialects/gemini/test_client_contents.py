"""Contents as canonical turns."""

from typing import Any

import pytest

from ucr.dialects.gemini.client_contents import LOST_RESULT, Contents
from ucr.dialects.gemini.client_thoughts import pack
from ucr.errors import ApiError


def read(*contents: Any) -> tuple[list[Any], list[str]]:
    notes: list[str] = []
    reader = Contents(notes)
    for index, content in enumerate(contents):
        reader.read(content, f"contents[{index}]")
    return reader.turns, notes


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def call(name: str = "f", signature: str | None = None, **fields: Any) -> dict[str, Any]:
    part: dict[str, Any] = {"functionCall": {"name": name, **fields}}
    return part if signature is None else {**part, "thoughtSignature": signature}


def answer(name: str = "f", words: str = "x", **fields: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": {"output": words}, **fields}}


def test_a_conversation_in_full() -> None:
    turns, notes = read(
        user({"text": "hi"}),
        model({"text": "hm", "thought": True}, {"text": "I look."}, call(args={"a": 1}, id="c1")),
        user({"text": "Thanks."}, answer(id="c1")),
    )
    assert turns == [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "x"},
                {"type": "text", "text": "Thanks."},
            ],
        },
    ]
    assert notes == []


def test_calls_without_ids_are_answered_by_name_and_order() -> None:
    turns, _ = read(
        user({"text": "hi"}),
        model(call("f"), call("g"), call("f")),
        {"role": "function", "parts": [answer("f", "1"), answer("f", "3"), answer("g", "2")]},
    )
    ids = [block["id"] for block in turns[1]["content"]]
    assert len(set(ids)) == 3
    answered = {block["tool_use_id"]: block["content"] for block in turns[2]["content"]}
    assert [answered[id_] for id_ in ids] == ["1", "2", "3"]


def test_an_id_that_is_used_twice_or_odd_is_replaced_in_call_and_response() -> None:
    turns, _ = read(
        user({"text": "hi"}),
        model(call(id="c1"), call(id="a.b:0")),
        user(answer(id="a.b:0", words="2"), answer(id="c1", words="1")),
        model(call(id="c1")),
        user(answer(id="c1", words="3")),
    )
    ids = [block["id"] for turn in (turns[1], turns[3]) for block in turn["content"]]
    assert ids[0] == "c1"
    assert len(set(ids)) == 3
    results = {
        block["tool_use_id"]: block["content"] for turn in (turns[2], turns[4]) for block in turn["content"]
    }
    assert [results[id_] for id_ in ids] == ["1", "2", "3"]


def test_a_response_without_a_call_becomes_words_with_a_note() -> None:
    turns, notes = read(user(answer("g", "late")))
    assert turns == [{"role": "user", "content": [{"type": "text", "text": "[result of g]\nlate"}]}]
    assert notes == [LOST_RESULT]


def test_contents_of_one_role_are_one_turn() -> None:
    turns, _ = read(
        user({"text": "a"}), {"parts": [{"text": "b"}]}, model(), model({"text": "c"}), model(call())
    )
    assert [(turn["role"], len(turn["content"])) for turn in turns] == [("user", 2), ("assistant", 2)]


def test_signed_thinking_stands_again_where_it_stood() -> None:
    signature = pack([("thinking", "A", "s1", False), ("redacted", "R", "", True)])
    turns, _ = read(user({"text": "hi"}), model({"text": "I look."}, call(signature=signature), call("g")))
    kinds = [block["type"] for block in turns[1]["content"]]
    assert kinds == ["thinking", "text", "redacted_thinking", "tool_use", "tool_use"]
    assert turns[1]["content"][0] == {"type": "thinking", "thinking": "A", "signature": "s1"}


def test_googles_own_signatures_and_code_are_left_out() -> None:
    turns, notes = read(
        user({"text": "a"}), model({"executableCode": {}}, {"text": "x", "thoughtSignature": "AVSo"})
    )
    assert turns[1]["content"] == [{"type": "text", "text": "x"}]
    assert notes == ["what an earlier answer held besides text and calls was dropped"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], r"contents\[0\]: expected an object"),
        ({"role": "system", "parts": []}, r"contents\[0\].role: expected one of user, model, function"),
        ({"parts": {}}, r"contents\[0\].parts: expected an array"),
        ({"parts": [1]}, r"contents\[0\].parts\[0\]: expected an object"),
        (model(call(args=[])), r"functionCall.args: expected an object"),
        (model({"functionCall": {}}), r"functionCall.name: expected a string"),
        (user({"functionResponse": {"response": {}}}), r"functionResponse.name: expected a string"),
    ],
)
def test_what_is_malformed_is_refused_by_its_path(content: Any, words: str) -> None:
    with pytest.raises(ApiError, match=words):
        read(content)
