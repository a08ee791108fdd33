import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from ucr import jsontext, sse
from ucr.demo_talk import DEMO_MODEL, DEMO_QUESTION, DEMO_TOOL, WELCOME, Answer, answer, smallest
from ucr.jsontext import JsonObject

NOW = 1_790_000_000
TOOLS = [{"type": "function", "function": {"name": DEMO_TOOL, "parameters": {"type": "object"}}}]


def ask(**fields: object) -> Answer:
    body = {"model": "x", "messages": [{"role": "user", "content": "Hello"}], **fields}
    return answer("POST", "/v1/chat/completions", jsontext.dumps(body), NOW)


def chunks(said: Answer) -> list[JsonObject]:
    events = sse.Decoder().feed(b"".join(said.parts))
    assert events[-1].data == "[DONE]"
    return [jsontext.loads_text(event.data) for event in events[:-1]]


def message(said: Answer) -> JsonObject:
    body = jsontext.loads(said.parts[0])
    ChatCompletion.model_validate(body)
    return body["choices"][0]["message"]


def test_a_plain_question_is_answered_with_the_way_to_a_real_provider() -> None:
    content = message(ask())["content"]
    assert content == WELCOME
    for word in ("OPENAI_API_KEY", "ucr.toml", "Ollama", "ANTHROPIC_BASE_URL"):
        assert word in content


def test_a_stream_carries_the_same_text_in_the_chunk_grammar() -> None:
    read = chunks(ask(stream=True))
    for chunk in read:
        ChatCompletionChunk.model_validate(chunk)
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in read) == WELCOME
    assert [chunk["choices"][0]["finish_reason"] for chunk in read] == [None] * (len(read) - 1) + ["stop"]


def test_usage_comes_last_and_only_when_it_was_asked_for() -> None:
    with_usage = chunks(ask(stream=True, stream_options={"include_usage": True}))
    assert with_usage[-1]["choices"] == []
    assert with_usage[-1]["usage"]["completion_tokens"] == len(WELCOME) // 4 + 1
    assert not any("usage" in chunk for chunk in chunks(ask(stream=True)))


def test_the_demo_question_with_the_demo_tool_gets_one_call_in_pieces() -> None:
    question = [{"role": "user", "content": [{"type": "text", "text": DEMO_QUESTION}]}]
    read = chunks(ask(stream=True, messages=question, tools=TOOLS))
    calls = [call for chunk in read for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert (calls[0]["id"], calls[0]["function"]["name"]) == ("call_demo_1", DEMO_TOOL)
    assert len(calls) > 2
    assert jsontext.loads_text("".join(call["function"]["arguments"] for call in calls)) == {"city": "Lisbon"}
    assert read[-1]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"tools": TOOLS}, id="another question"),
        pytest.param({"messages": [{"role": "user", "content": DEMO_QUESTION}]}, id="no tools"),
        pytest.param(
            {"messages": [{"role": "user", "content": DEMO_QUESTION}], "tools": [{}, 1]}, id="odd tools"
        ),
    ],
)
def test_no_tool_is_called_without_both_question_and_tool(fields: JsonObject) -> None:
    assert "tool_calls" not in message(ask(**fields))


def test_a_tool_result_is_repeated_in_the_last_word() -> None:
    history = [
        {"role": "user", "content": DEMO_QUESTION},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "call_demo_1", "content": "21 degrees."},
    ]
    assert "21 degrees." in message(ask(messages=history, tools=TOOLS))["content"]


def test_a_request_for_a_schema_gets_json_that_fits_it() -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "title", "schema": schema}}
    assert message(ask(response_format=wanted))["content"] == '{"title":"UCR demo"}'


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "integer"}, 0),
        ({"type": "boolean"}, False),
        ({"type": ["null", "string"]}, None),
        ({"type": "array", "items": {}}, []),
        ({"properties": {"x": {"properties": {"y": {"type": "number"}}}}}, {"x": {"y": 0}}),
        ("nonsense", {}),
    ],
)
def test_the_smallest_value_fits_its_schema(schema: object, value: object) -> None:
    assert smallest(schema) == value


def test_the_model_list_names_the_demo_model() -> None:
    said = answer("GET", "/v1/models?limit=5", b"", NOW)
    assert [entry["id"] for entry in jsontext.loads(said.parts[0])["data"]] == [DEMO_MODEL]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/chat/completions", b"", 404),
        ("POST", "/", b"{}", 404),
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", b"[]", 400),
        ("POST", "/v1/chat/completions", b'{"messages": "x"}', 400),
    ],
)
def test_what_cannot_be_answered_is_refused_in_the_openai_shape(
    method: str, path: str, body: bytes, status: int
) -> None:
    said = answer(method, path, body, NOW)
    assert said.status == status
    assert jsontext.loads(said.parts[0])["error"]["type"] == "invalid_request_error"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        {
            "messages": st.lists(
                st.fixed_dictionaries({"role": JSON | st.just("user"), "content": JSON}) | JSON, max_size=3
            )
        },
        optional={"tools": JSON, "stream": JSON, "stream_options": JSON, "response_format": JSON},
    )
)
def test_no_shape_of_request_raises(body: JsonObject) -> None:
    assert answer("POST", "/v1/chat/completions", jsontext.dumps(body), NOW).status == 200
