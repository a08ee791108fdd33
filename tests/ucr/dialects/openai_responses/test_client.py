import json

from tests.world.responses_client import NOW, ask, check_response, checked, client
from ucr.dialects.openai_responses.client import OpenAIResponsesClient
from ucr.dialects.roles import ClientDialect
from ucr.errors import ApiError
from ucr.events import Reply, Text, ToolUse, Usage


def test_it_is_a_client_dialect() -> None:
    dialect: ClientDialect = OpenAIResponsesClient(now=lambda: 0.0)
    assert (dialect.name, dialect.stream_type) == ("openai-responses", "text/event-stream")


def test_a_whole_answer_is_the_end_of_a_stream() -> None:
    content = (Text("Hey"), ToolUse("call_1", "patch", '{"input":"x"}'))
    reply = Reply("msg_1", "real", content, "tool_use", Usage(10, 5))
    request = ask(tools=[{"type": "custom", "name": "patch"}])
    body = check_response(json.loads(client().encode_reply(reply, request)))
    assert (body["model"], body["created_at"], body["status"]) == ("claude-x", NOW, "completed")
    assert [item["type"] for item in body["output"]] == ["message", "custom_tool_call"]
    assert body["output"][1]["input"] == "x"


def test_a_refusal_is_in_openais_envelope() -> None:
    body = json.loads(client().encode_error(ApiError("not_found_error", "no such model"), "req_1"))
    assert body["error"]["code"] == "model_not_found"


def test_a_stream_that_somebody_else_began_is_ended() -> None:
    data = client().encode_stream_error(ApiError("timeout_error", "late"), "req_1")
    *_, failed = checked(data)
    assert (failed["type"], failed["response"]["id"]) == ("response.failed", "resp_1")


def test_a_silent_stream_is_kept_alive_by_a_comment() -> None:
    assert client().keep_alive() == b": ping\n\n"
