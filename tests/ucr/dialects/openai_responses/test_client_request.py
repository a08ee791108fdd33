import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_cases import FIXTURES
from tests.world.responses_client import CODEX, HI, ask, client, codex, translate
from ucr.dialects.anthropic.validate import check
from ucr.errors import ApiError

REQUESTS = sorted((FIXTURES / "openai-responses").glob("*/*.request.json"))
CAPTURES = sorted(path.stem for path in CODEX.glob("*.json") if path.stem != "websocket")


def test_a_request_is_read() -> None:
    raw = b'{"model":"m","input":"hi","stream":true,"vendor":1.0}'
    request = client().parse(raw, {"session-id": "s1"})
    assert (request.dialect, request.raw, request.model, request.stream) == ("openai-responses", raw, "m", True)
    assert request.session_id == "s1"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"{", "the body is not JSON", id="edge-188"),
        (b"[]", "not a JSON object: it is an array"),
        (b'{"input":"x"}', "model: missing"),
        (b'{"model":3,"input":"x"}', "model: expected a string"),
        (b'{"model":"m"}', "input: missing"),
        (b'{"model":"m","input":3}', "input: expected an array"),
        (b'{"model":"m","input":[3]}', r"input\[0\]: expected an object"),
        (b'{"model":"m","input":"x","stream":1}', "stream: expected true or false"),
    ],
)
def test_what_is_no_request_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        client().parse(body, {})
    assert caught.value.status == 400


def test_an_empty_input_is_left_to_whoever_answers() -> None:
    assert ask([]).body["input"] == []
    assert client().parse(b'{"model":"m","prompt":{"id":"p"}}', {}).model == "m"


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: f"{path.parent.name}-{path.name.split('.')[0]}")
def test_a_recorded_request_is_translated(path: Any) -> None:
    body = json.loads(path.read_bytes())
    if path.parent.name == "http-error":
        body.pop("temperature")
    made = client().canonical(client().parse(json.dumps(body).encode(), {})).body
    assert made["messages"]
    check({"max_tokens": 100, **made})


@pytest.mark.parametrize("name", CAPTURES)
def test_what_codex_sends_is_translated(name: str) -> None:
    body = codex(name)
    asked = client().canonical(client().parse(json.dumps(body).encode(), {}))
    check({"max_tokens": 100, **asked.body})
    names = [tool["name"] for tool in asked.body["tools"]]
    assert "exec_command" in names
    assert {"multi_agent_v1__spawn", "apply_patch"} & set(names)
    assert not [note for note in asked.notes if "unknown" in note]
    if name == "image":
        kinds = [block["type"] for turn in asked.body["messages"] for block in turn["content"]]
        assert "image" in kinds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
PART = st.dictionaries(
    st.sampled_from(["type", "text", "image_url", "file_data", "file_url", "refusal"]),
    st.sampled_from(["input_text", "output_text", "input_image", "input_file", "https://x.test/a", "x"]) | JSON,
)
ITEM = st.dictionaries(
    st.sampled_from(["type", "role", "content", "call_id", "name", "arguments", "output", "summary", "input"]),
    st.sampled_from(
        ["message", "user", "assistant", "developer", "function_call", "function_call_output", "c1"]
    )
    | st.lists(PART, max_size=2)
    | JSON,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "instructions",
            "tools",
            "tool_choice",
            "reasoning",
            "text",
            "max_output_tokens",
            "user",
            "store",
            "stream",
        ]
    ),
    JSON,
)


@settings(max_examples=100)
@given(items=st.lists(ITEM, max_size=4) | JSON, fields=FIELDS)
def test_a_body_of_any_shape_is_translated_or_refused(items: Any, fields: Any) -> None:
    try:
        body = translate(items, **fields).body
    except ApiError as error:
        assert error.status == 400
        return
    check({"max_tokens": 100, **body})


def test_the_smallest_request_is_the_smallest_body() -> None:
    assert translate(HI).body == {
        "model": "claude-x",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }
