from typing import Any

import pytest

from ucr.dialects.ollama.client_request import canonical, read, streams
from ucr.errors import ApiError

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": False}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def made(**fields: Any) -> dict[str, Any]:
    return canonical({**CHAT, **fields}, generates=False).body


def test_a_conversation_is_read() -> None:
    system = {"role": "system", "content": "be brief"}
    body = made(messages=[system, *CHAT["messages"]], tools=[], keep_alive="5m")
    assert body == {
        "model": "m",
        "system": [{"type": "text", "text": "be brief"}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }


def test_options_are_limits_and_sampling() -> None:
    options = {"num_predict": 9, "temperature": 0.5, "top_p": 0.9, "top_k": 4, "stop": ["END"], "num_ctx": 9}
    body = made(options=options)
    assert (body["max_tokens"], body["temperature"], body["top_k"]) == (9, 0.5, 4)
    assert body["stop_sequences"] == ["END"]
    assert "max_tokens" not in made(options={"num_predict": -1})


def test_what_cannot_be_said_is_told() -> None:
    found = canonical({**CHAT, "options": {"seed": 1, "repeat_penalty": 1.1}}, generates=False)
    assert found.notes == ("dropped: seed repeat_penalty",)


@pytest.mark.parametrize(
    ("think", "thinking", "effort"),
    [(None, None, None), (True, "adaptive", None), (False, "disabled", None), ("high", "adaptive", "high")],
)
def test_how_much_to_think(think: object, thinking: str | None, effort: str | None) -> None:
    body = made(think=think)
    assert body.get("thinking", {}).get("type") == thinking
    assert body.get("output_config", {}).get("effort") == effort


def test_the_format_is_an_instruction_or_a_schema() -> None:
    assert "JSON object" in made(format="json")["system"][0]["text"]
    assert made(format=SCHEMA)["output_config"]["format"]["schema"]["required"] == ["a"]
    assert "output_config" not in made(format="")


def test_what_is_to_be_generated_is_a_conversation_of_one_turn() -> None:
    found = canonical({"model": "m", "prompt": "hi", "system": "be brief", "suffix": "x"}, generates=True)
    assert found.body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert found.body["system"][0]["text"] == "be brief"
    assert found.notes == ("dropped: suffix",)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"options": 1}, "options"),
        ({"options": {"num_predict": "x"}}, "max_tokens"),
        ({"format": 1}, "format"),
        ({"think": 1}, "reasoning_effort"),
        ({"stream": 1}, "stream"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError, match=words):
        made(**fields)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"model": ""}', b'{"model": 1}'])
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError):
        read(raw)


def test_lines_are_given_unless_they_are_declined() -> None:
    assert [streams(body) for body in ({}, {"stream": None}, {"stream": True}, {"stream": False})] == [
        True,
        True,
        True,
        False,
    ]
