import json

import pytest

from tests.world.chat_client import NOW, ask, chunks, client
from ucr.dialects.openai_chat.client import OpenAIChatClient
from ucr.dialects.roles import ClientDialect
from ucr.errors import ApiError
from ucr.events import MessageStart, Reply, Text, Usage


def test_it_is_a_client_dialect() -> None:
    dialect: ClientDialect = OpenAIChatClient(now=lambda: 0.0)
    assert (dialect.name, dialect.stream_type) == ("openai-chat", "text/event-stream")


def test_answers_are_dated_by_the_clock_in_whole_seconds() -> None:
    reply = Reply("msg_1", "real", (Text("a"),), "end_turn", Usage(1, 1))
    assert json.loads(client().encode_reply(reply, ask()))["created"] == NOW
    assert chunks(client().encoder(ask()).encode(MessageStart("msg_1", "real")))[0]["created"] == NOW


def test_an_answer_bears_the_name_that_was_asked_for() -> None:
    reply = Reply("msg_1", "real", (), "end_turn", Usage(1, 1))
    assert json.loads(client().encode_reply(reply, ask()))["model"] == "claude-x"
    assert chunks(client().encoder(ask()).encode(MessageStart("msg_1", "real")))[0]["model"] == "claude-x"


@pytest.mark.parametrize("raw", [pytest.param(b"{", id="edge-188")])
def test_a_broken_body_is_answered_in_openais_envelope(raw: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        client().parse(raw, {})
    body = json.loads(client().encode_error(caught.value, "req_1"))
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["message"].startswith("the body is not JSON: ")
    assert caught.value.status == 400


def test_a_stream_error_is_one_event_without_an_end() -> None:
    error = ApiError("overloaded_error", "busy")
    assert client().encode_stream_error(error, "req_1") == (
        b'data: {"error":{"message":"busy","type":"server_error","param":null,'
        b'"code":"server_is_overloaded"}}\n\n'
    )


def test_a_silent_stream_is_kept_alive_by_a_comment() -> None:
    assert client().keep_alive() == b": ping\n\n"
