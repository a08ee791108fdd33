import json
from pathlib import Path
from typing import Any

import pytest

from ucr.dialects.anthropic import encode
from ucr.dialects.anthropic.client import SESSIONS_LIMIT, USER_CHARS, AnthropicClient
from ucr.dialects.roles import Request
from ucr.errors import ApiError
from ucr.events import MessageStart, Reply, Text, Usage

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures" / "claude_code"
CLIENT = AnthropicClient()
GOOD: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "q"}]}


def parsed(body: object, **headers: str) -> Request:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return CLIENT.parse(json.dumps(body).encode(), names)


def capture(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_bytes())
    return value


@pytest.mark.parametrize("file", sorted(CAPTURES.glob("*.json")), ids=lambda file: file.stem)
def test_what_claude_code_sends_is_accepted(file: Path) -> None:
    seen = capture(file.stem)
    read = CLIENT.parse_count if seen["path"].endswith("count_tokens") else CLIENT.parse
    raw = json.dumps(seen["body"]).encode()
    request = read(raw, seen["headers"])
    assert (request.raw, request.body, request.model) == (raw, seen["body"], seen["body"]["model"])
    assert request.stream is bool(seen["body"].get("stream"))
    assert request.session_id == seen["headers"]["x-claude-code-session-id"]
    assert request.agent_id == seen["headers"].get("x-claude-code-agent-id")
    turns = CLIENT.canonical(request).body["messages"]
    assert turns == [turn for turn in seen["body"]["messages"] if turn["content"]]


def test_a_subagent_says_so() -> None:
    assert parsed(GOOD, **capture("subagent")["headers"]).agent_id


def test_empty_system_turns_are_left_out_of_the_canonical_form_alone() -> None:
    seen = capture("after-compact")["body"]
    assert [turn["role"] for turn in seen["messages"]] == [
        "user",
        "system",
        "assistant",
        "user",
        "user",
        "system",
    ]
    request = parsed(seen)
    assert request.body == seen
    roles = [turn["role"] for turn in CLIENT.canonical(request).body["messages"]]
    assert roles == ["user", "assistant", "user", "user", "system"]


@pytest.mark.parametrize(
    ("user_id", "session"),
    [
        (json.dumps({"device_id": "d", "account_uuid": "", "session_id": "s-1"}), "s-1"),
        ('{"session_id":5}', None),
        ('{"session_id":', None),
        ("{}", None),
        ("user-7", None),
        ("", None),
        (None, None),
    ],
)
def test_the_session_is_read_from_the_metadata(user_id: str | None, session: str | None) -> None:
    assert parsed({**GOOD, "metadata": {"user_id": user_id}}).session_id == session


def test_each_user_has_a_session_of_its_own_however_many_there_are_and_however_long_they_are_named() -> None:
    client = AnthropicClient()
    for _ in range(2):
        for number in range(2 * SESSIONS_LIMIT):
            named = {"user": "u" * (number % 2 * USER_CHARS), "session_id": f"s{number}"}
            raw = json.dumps({**GOOD, "metadata": {"user_id": json.dumps(named)}}).encode()
            assert [client.parse(raw, {}).session_id for _ in range(2)] == [f"s{number}"] * 2


def test_the_sessions_of_so_many_users_are_remembered_and_none_of_one_with_a_long_id() -> None:
    client = AnthropicClient()
    for user, known in (
        ("u" * USER_CHARS, 0),
        *((str(number), number + 1) for number in range(SESSIONS_LIMIT)),
        ("x", 64),
    ):
        named = json.dumps({"user": user, "session_id": "s"})
        client.parse(json.dumps({**GOOD, "metadata": {"user_id": named}}).encode(), {})
        assert repr(client) == f"<AnthropicClient that knows the sessions of {known} users>"


def test_the_session_header_comes_first() -> None:
    body = {**GOOD, "metadata": {"user_id": '{"session_id":"old"}'}}
    assert parsed(body, x_claude_code_session_id="new").session_id == "new"


@pytest.mark.parametrize(
    "version", [pytest.param("2023-06-01", id="edge-137-old"), pytest.param("2026-10-21", id="edge-137-new")]
)
def test_both_versions_may_say_temperature_to_a_router(version: str) -> None:
    assert (
        parsed({**GOOD, "temperature": 0.5, "top_k": 3}, anthropic_version=version).body["temperature"] == 0.5
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(
            b"{", "The request body is not valid JSON: unexpected end of data (line 1, column 2)", id="edge-188"
        ),
        pytest.param(b"[1]", "body: Input should be a valid dictionary", id="not-an-object"),
        pytest.param(b"{}", "model: Field required", id="nothing-in-it"),
    ],
)
def test_a_bad_body_is_refused_with_what_and_where(raw: bytes, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        CLIENT.parse(raw, {})
    assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")
    assert caught.value.message == words


def test_a_count_needs_no_output_limit() -> None:
    raw = json.dumps({"model": "m", "messages": GOOD["messages"]}).encode()
    assert CLIENT.parse_count(raw, {}).model == "m"
    with pytest.raises(ApiError, match="max_tokens: Field required"):
        CLIENT.parse(raw, {})


def test_the_last_of_two_equal_keys_wins() -> None:
    raw = b'{"model":"a","max_tokens":1,"messages":[{"role":"user","content":"q"}],"model":"b"}'
    assert CLIENT.parse(raw, {}).model == "b"


def test_the_canonical_form_has_no_nulls_and_a_schema_for_every_tool() -> None:
    tools = [
        {"name": "a", "input_schema": {"type": "object", "x": 1}},
        {"name": "b", "type": "custom", "input_schema": None},
        {"type": "web_search_20250305", "name": "web_search"},
    ]
    request = parsed({**GOOD, "system": None, "tools": tools})
    body = CLIENT.canonical(request).body
    assert body == {
        **GOOD,
        "tools": [tools[0], {**tools[1], "input_schema": {"type": "object", "properties": {}}}, tools[2]],
    }
    assert request.body["tools"] == tools


def test_a_conversation_of_nothing_but_empty_turns_stays() -> None:
    body = {**GOOD, "messages": [{"role": "user", "content": []}]}
    assert CLIENT.canonical(parsed(body)).body["messages"] == body["messages"]


def test_answers_are_in_the_shape_of_the_api() -> None:
    reply = Reply("msg_1", "up", (Text("x"),), "end_turn", Usage(1, 2))
    assert CLIENT.encode_reply(reply, parsed(GOOD)) == encode.reply(reply, "m")
    assert CLIENT.keep_alive() == b'event: ping\ndata: {"type": "ping"}\n\n'
    assert (CLIENT.name, CLIENT.stream_type) == ("anthropic", "text/event-stream")


@pytest.mark.parametrize("id_", [pytest.param("req_1", id="edge-61")])
def test_errors_are_json_before_a_stream_and_an_event_in_one(id_: str) -> None:
    error = ApiError("overloaded_error", "busy")
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"req_1"}'
    assert CLIENT.encode_error(error, id_) == body
    assert CLIENT.encode_stream_error(error, id_) == b"event: error\ndata: " + body + b"\n\n"


def test_a_stream_names_the_model_asked_for() -> None:
    assert b'"model":"m"' in CLIENT.encoder(parsed(GOOD)).encode(MessageStart("msg_1", "up"))
