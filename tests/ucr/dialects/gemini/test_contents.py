"""The conversation: roles, calls and their answers, signatures."""

import base64
from typing import Any

import pytest

from tests.world.chat import assistant, call, result, text, user
from tests.world.gemini import built, check_contents, contents, outgoing, target
from ucr import jsontext
from ucr.dialects.envelope import seal
from ucr.errors import ApiError

SKIP = "skip_thought_signature_validator"
IMAGE = {
    "type": "image",
    "source": {
        "type": "base64",
        "media_type": "image/png",
        "data": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
    },
}
INLINE = {"inlineData": {"mimeType": "image/png", "data": IMAGE["source"]["data"]}}  # type: ignore[index]


def thinking(state: dict[str, Any], provider: str = "google") -> dict[str, Any]:
    return {"type": "thinking", "thinking": "hm", "signature": seal(provider, {"extra_content": state})}


def signed(id_: str, signature: str, provider: str = "google") -> dict[str, Any]:
    return thinking({id_: {"google": {"thought_signature": signature}}}, provider)


def test_a_conversation_in_full() -> None:
    turns = [
        user("Weather?"),
        assistant(text("I look."), call("t1", city="Rome"), call("t2", "other")),
        user(result("t2", "no", is_error=True), result("t1", text("sunny")), text("Thanks.")),
    ]
    assert contents(turns) == [
        {"role": "user", "parts": [{"text": "Weather?"}]},
        {
            "role": "model",
            "parts": [
                {"text": "I look."},
                {
                    "functionCall": {"id": "t1", "name": "get_weather", "args": {"city": "Rome"}},
                    "thoughtSignature": SKIP,
                },
                {"functionCall": {"id": "t2", "name": "other", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "t1", "name": "get_weather", "response": {"output": "sunny"}}},
                {"functionResponse": {"id": "t2", "name": "other", "response": {"error": "no"}}},
                {"text": "Thanks."},
            ],
        },
    ]


@pytest.mark.parametrize("turns", [pytest.param(50, id="edge-96")])
def test_a_result_bears_the_name_of_its_call_however_far_back_that_is(turns: int) -> None:
    between = [turn for number in range(turns // 2) for turn in (user(f"{number}?"), assistant(text("wait")))]
    found = contents([user("Weather?"), assistant(call("t1")), *between, user(result("t1", "sunny"))])
    answered = [
        part["functionResponse"] for one in found for part in one["parts"] if "functionResponse" in part
    ]
    assert [(answer["id"], answer["name"]) for answer in answered] == [("t1", "get_weather")]


@pytest.mark.parametrize("name", [pytest.param("edge-86", id="edge-86")])
def test_turns_of_one_role_become_one_content(name: str) -> None:
    found = contents([user("a"), user("b"), assistant("c"), assistant("d"), user("e")])
    assert [[part["text"] for part in content["parts"]] for content in found] == [["a", "b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize("name", [pytest.param("edge-87", id="edge-87")])
def test_a_conversation_that_the_model_begins_gets_a_user_turn(name: str) -> None:
    assert contents([assistant("c"), user("e")])[0] == {"role": "user", "parts": [{"text": "Continue."}]}


@pytest.mark.parametrize("name", [pytest.param("edge-88", id="edge-88")])
def test_a_last_turn_of_the_model_is_left_out_with_a_note(name: str) -> None:
    sent = outgoing({"messages": [user("a"), assistant("{")]})
    assert jsontext.loads(sent.body)["contents"] == [{"role": "user", "parts": [{"text": "a"}]}]
    assert sent.notes == ("dropped prefill",)


def test_nothing_to_say_is_refused() -> None:
    with pytest.raises(ApiError, match="no message has any content"):
        contents([user(" "), assistant("a")])


@pytest.mark.parametrize("name", [pytest.param("edge-73", id="edge-73")])
def test_system_turns_lead_or_remind(name: str) -> None:
    turns = [
        {"role": "system", "content": "First."},
        user("a"),
        {"role": "system", "content": "Later."},
        user("b"),
    ]
    body = built({"system": [text("x-anthropic-billing-header: 1"), text("Base.")], "messages": turns})
    assert body["systemInstruction"] == {"parts": [{"text": "Base."}, {"text": "First."}]}
    reminder = {"text": "<system-reminder>\nLater.\n</system-reminder>"}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "a"}, reminder, {"text": "b"}]}]


@pytest.mark.parametrize("name", [pytest.param("edge-103", id="edge-103")])
def test_a_signature_goes_back_with_the_call_that_bore_it(name: str) -> None:
    found = contents([user("a"), assistant(signed("t1", "AVSo"), call("t1")), user(result("t1", "x"))])
    assert found[1]["parts"][0]["thoughtSignature"] == "AVSo"


@pytest.mark.parametrize("name", [pytest.param("edge-104", id="edge-104")])
def test_of_parallel_calls_only_the_first_bears_a_signature(name: str) -> None:
    turns = [
        user("a"),
        assistant(signed("t1", "AVSo"), call("t1"), call("t2")),
        user(result("t1", "x"), result("t2", "y")),
    ]
    assert [part.get("thoughtSignature") for part in contents(turns)[1]["parts"]] == ["AVSo", None]


@pytest.mark.parametrize(
    ("model", "block", "expected"),
    [
        pytest.param(
            "gemini-3-pro-preview", signed("t1", "AVSo", "other"), SKIP, id="edge-98-another-provider"
        ),
        pytest.param(
            "gemini-3-pro-preview",
            {"type": "thinking", "thinking": "x", "signature": "EqQ"},
            SKIP,
            id="edge-98",
        ),
        pytest.param("gemini-2.5-flash", signed("t1", "AVSo", "other"), None, id="a-model-that-asks-for-none"),
        pytest.param("gemini-2.5-flash", signed("t1", "AVSo"), "AVSo", id="its-own"),
    ],
)
def test_another_models_thinking_is_dropped(model: str, block: dict[str, Any], expected: str | None) -> None:
    found = contents([user("a"), assistant(block, call("t1")), user(result("t1", "x"))], target(model))
    (part,) = found[1]["parts"]
    assert part.get("thoughtSignature") == expected


@pytest.mark.parametrize("name", [pytest.param("edge-35", id="edge-35")])
def test_the_signature_of_an_answer_without_calls_goes_back_on_an_empty_text(name: str) -> None:
    found = contents([user("a"), assistant(text("said"), signed("ending", "AVSo")), user("b")])
    assert found[1]["parts"] == [{"text": "said"}, {"text": "", "thoughtSignature": "AVSo"}]


@pytest.mark.parametrize(
    ("model", "is_inside"),
    [
        pytest.param("gemini-3-pro", True, id="edge-78"),
        pytest.param("gemini-2.5-pro", False, id="edge-78-older"),
    ],
)
def test_an_image_in_a_result_stands_in_its_response_or_behind_all(model: str, is_inside: bool) -> None:
    turns = [
        user("a"),
        assistant(call("t1"), call("t2")),
        user(result("t1", text("see"), IMAGE), result("t2", "y")),
    ]
    parts = contents(turns, target(model))[2]["parts"]
    first: dict[str, Any] = {"id": "t1", "name": "get_weather", "response": {"output": "see"}}
    if is_inside:
        assert parts[0] == {"functionResponse": {**first, "parts": [INLINE]}}
        assert len(parts) == 2
    else:
        assert parts[0] == {"functionResponse": first}
        assert parts[2:] == [{"text": "From the result of get_weather (t1):"}, INLINE]


@pytest.mark.parametrize("name", [pytest.param("edge-76", id="edge-76")])
def test_a_result_without_content_is_empty(name: str) -> None:
    found = contents([user("a"), assistant(call("t1")), user(result("t1"))])
    assert found[2]["parts"][0]["functionResponse"]["response"] == {"output": ""}


@pytest.mark.parametrize("name", [pytest.param("edge-95", id="edge-95")])
def test_every_call_has_one_response_wherever_its_result_stood(name: str) -> None:
    turns = [
        user("a"),
        assistant(call("t1"), call("t2"), call("t3")),
        user(text("first"), result("t3", "z"), result("lost", "w")),
        user(result("t1", "x"), result("t1", "again")),
    ]
    sent = outgoing({"messages": turns})
    found = jsontext.loads(sent.body)["contents"]
    check_contents(found)
    answers = [part["functionResponse"]["response"] for part in found[2]["parts"] if "functionResponse" in part]
    no_result = {"error": "Error: the call was interrupted and has no result"}
    assert answers == [{"output": "x"}, no_result, {"output": "z"}]
    assert "a tool call without a result was answered with an error" in sent.notes


@pytest.mark.parametrize(
    ("given", "args"),
    [
        ({"n": 1}, {"n": 1}),
        ('{"n": 1}', {"n": 1}),
        ("", {}),
        (None, {}),
        ("x", {"_raw": "x"}),
        ([1], {"_raw": [1]}),
    ],
)
def test_arguments_are_always_an_object(given: object, args: dict[str, Any]) -> None:
    turns = [user("a"), assistant({**call("t1"), "input": given}), user(result("t1", "x"))]
    assert contents(turns)[1]["parts"][0]["functionCall"]["args"] == args
