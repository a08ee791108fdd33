"""What the check of a real model makes of answers: it must not be content with what is none."""

import pytest
from real_model_check import plausible
from real_model_talk import CLIENTS, Client, Told, events_of

MESSAGES, CHAT = CLIENTS
ANSWER = Told("It is blue.", 2, "end_turn", 31, 4)


def test_a_plausible_answer_is_one() -> None:
    plausible(ANSWER, 8)


@pytest.mark.parametrize(
    "told",
    [
        Told("", 0, "end_turn", 31, 4),
        Told("It is blue.", 2, "", 31, 4),
        Told("It is blue.", 2, "end_turn", 0, 4),
        Told("It is blue.", 2, "end_turn", 31, 0),
        Told("It is blue.", 2, "end_turn", 31, 9),
        Told("It", 1, "end_turn", 31, 400),
    ],
)
def test_what_cannot_be_true_is_found(told: Told) -> None:
    with pytest.raises(AssertionError):
        plausible(told, 8)


def test_an_anthropic_stream_is_put_together() -> None:
    lines = [
        b'data: {"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}\n',
        b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"It is "}}\n',
        b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"blue."}}\n',
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
        b'"usage":{"input_tokens":1,"cache_read_input_tokens":30,"output_tokens":4}}\n',
        b'data: {"type":"message_stop"}\n',
    ]
    assert MESSAGES.gather(events_of(lines)) == ANSWER


def test_a_stream_of_chunks_is_put_together() -> None:
    lines = [
        b'data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n',
        b": a comment\n",
        b'data: {"choices":[{"delta":{"content":"It is "},"finish_reason":null}]}\n',
        b'data: {"choices":[{"delta":{"content":"blue."},"finish_reason":"stop"}]}\n',
        b'data: {"choices":[],"usage":{"prompt_tokens":31,"completion_tokens":4}}\n',
        b"data: [DONE]\n",
    ]
    assert CHAT.gather(events_of(lines)) == Told("It is blue.", 2, "stop", 31, 4)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_an_error_in_a_stream_is_no_answer(client: Client) -> None:
    lines = [b'data: {"type":"error","error":{"type":"api_error","message":"broken"}}\n']
    with pytest.raises(AssertionError):
        client.gather(events_of(lines))


def test_an_overflow_is_told_from_another_refusal() -> None:
    for client in CLIENTS:
        assert not client.is_overflow(
            {"error": {"type": "invalid_request_error", "code": None, "message": "no"}}
        )
    said = {"type": "invalid_request_error", "message": "prompt is too long: 931 tokens > 512 maximum"}
    assert MESSAGES.is_overflow({"error": said})
    assert CHAT.is_overflow({"error": {"code": "context_length_exceeded"}})
