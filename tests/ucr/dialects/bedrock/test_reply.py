import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ucr.dialects.bedrock.test_stream import VALUES
from tests.world.bedrock import GOLDENS, USAGE, about, problems_of, summary, wholes_of
from tests.world.chat_streams import written
from ucr.dialects.bedrock.reply import decode_reply
from ucr.errors import UpstreamError


def whole(*content: dict[str, Any], reason: str = "end_turn") -> bytes:
    message = {"role": "assistant", "content": list(content)}
    reply = {"output": {"message": message}, "stopReason": reason, "usage": USAGE, "metrics": {"latencyMs": 1}}
    assert problems_of("ConverseResponse", reply) == []
    return json.dumps(reply).encode()


@pytest.mark.parametrize("name", wholes_of())
def test_recorded_answers_are_read_as_their_goldens_say(name: str) -> None:
    assert summary(name) == json.loads((GOLDENS / f"{name}.json").read_bytes())


def test_every_kind_of_block_is_read() -> None:
    cited = {"content": [{"text": "b"}, {"text": "c"}], "citations": []}
    read = written(
        decode_reply(
            whole(
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "S"}}},
                {"reasoningContent": {"redactedContent": "UkVE"}},
                {"text": "a"},
                {"citationsContent": cited},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"n": 1}}},
                reason="tool_use",
            ),
            about(),
        )
    )
    assert read["content"] == [
        {"thinking": "hm", "signature": "S"},
        {"redacted": "UkVE"},
        {"text": "a"},
        {"text": "bc"},
        {"tool_use": "f", "id": "t", "input": {"n": 1}},
    ]
    assert read["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "what is not JSON"),
        (b"[]", "without an answer"),
        (b'{"output":{"message":{}}}', "without an answer"),
        (whole({"text": "a"}, reason="malformed_model_output"), "malformed_model_output"),
    ],
)
def test_what_is_no_answer_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(UpstreamError, match=words):
        decode_reply(body, about())


@given(st.lists(VALUES, max_size=4), VALUES)
def test_nothing_but_our_own_errors_come_out(content: list[object], usage: object) -> None:
    body = {"output": {"message": {"content": content}}, "stopReason": usage, "usage": usage}
    assert decode_reply(json.dumps(body).encode(), about()).stop_reason
