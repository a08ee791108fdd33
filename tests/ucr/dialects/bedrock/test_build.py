import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.bedrock import CLAUDE, FIXTURES, built, outgoing, problems_of, target
from tests.world.chat import WEATHER, assistant, call, result, text, user
from ucr.dialects.bedrock.build import build, build_count
from ucr.dialects.roles import Canonical, Request
from ucr.errors import ApiError

OLD = "anthropic.claude-3-7-sonnet-20250219-v1:0"
SIX = "us.anthropic.claude-sonnet-4-6"
NEW = "us.anthropic.claude-opus-5-5"
OPEN = "openai.gpt-oss-120b-1:0"
ASK: dict[str, Any] = {"messages": [user("a")], "max_tokens": 4096}
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}
FORMAT = {"format": {"type": "json_schema", "schema": SCHEMA}}


def body(model: str, **fields: Any) -> dict[str, Any]:
    return built({**ASK, **fields}, target(model))


@pytest.mark.parametrize(
    ("stream", "path", "accept"),
    [
        (False, "/model/us.anthropic.claude-sonnet-4-6/converse", "application/json"),
        (True, "/model/us.anthropic.claude-sonnet-4-6/converse-stream", "application/vnd.amazon.eventstream"),
    ],
)
def test_whether_there_is_to_be_a_stream_stands_in_the_path(stream: bool, path: str, accept: str) -> None:
    made = outgoing(ASK, target(SIX), stream=stream)
    assert (made.path, dict(made.headers)["accept"]) == (path, accept)
    profile = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-pro-v1:0"
    coded = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.amazon.nova-pro-v1%3A0"
    assert outgoing(ASK, target(profile)).path == f"/model/{coded}/converse"


def test_limits_and_sampling_have_their_own_place() -> None:
    found = body("amazon.nova-pro-v1:0", temperature=1.5, top_p=0.9, top_k=7, stop_sequences=["a", " "])
    assert found["inferenceConfig"] == {
        "maxTokens": 4096,
        "temperature": 1,
        "topP": 0.9,
        "stopSequences": ["a"],
    }
    assert "additionalModelRequestFields" not in found


def test_claude_has_a_limit_when_the_client_names_none() -> None:
    made = built({"messages": [user("a")]}, target(CLAUDE))
    assert made["inferenceConfig"] == {"maxTokens": 64_000}
    assert "inferenceConfig" not in built({"messages": [user("a")]}, target(OPEN))


@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        (OLD, {"thinking": {"type": "enabled", "budget_tokens": 2000}, "temperature": 0.5}, {}),
        (SIX, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, {}),
        (OLD, {"top_k": 7}, {"top_k": 7}),
        (NEW, {"top_k": 7, "temperature": 0.5}, None),
        (
            NEW,
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
    ],
)
def test_claude_is_asked_for_what_it_takes(model: str, fields: dict[str, Any], expected: Any) -> None:
    kept = {key: fields[key] for key in ("thinking", "output_config") if key in fields}
    found = body(model, **fields)
    assert found.get("additionalModelRequestFields") == (expected if expected != {} else kept)
    assert "temperature" not in found["inferenceConfig"]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 9000}}, {"reasoning_effort": "high"}),
        ({"output_config": {"effort": "max"}}, {"reasoning_effort": "high"}),
        ({"thinking": {"type": "disabled"}}, None),
    ],
)
def test_open_models_with_efforts_are_asked_for_one(wish: dict[str, Any], expected: Any) -> None:
    assert body(OPEN, **wish).get("additionalModelRequestFields") == expected
    assert "additionalModelRequestFields" not in body("meta.llama3-3-70b-instruct-v1:0", **wish)


@pytest.mark.parametrize("edge", [pytest.param(149, id="edge-149")])
def test_betas_that_bedrock_knows_go_to_claude_alone(edge: int) -> None:
    header = {"anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14"}
    asked = built(ASK, target(CLAUDE), **header)["additionalModelRequestFields"]
    assert asked == {"anthropic_beta": ["interleaved-thinking-2025-05-14"]}
    assert "additionalModelRequestFields" not in built(ASK, target(OPEN), **header)


def test_a_schema_is_asked_for_or_told_in_words() -> None:
    wanted = body(CLAUDE, output_config=FORMAT)["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert json.loads(wanted["schema"]) == SCHEMA
    told = body("amazon.nova-pro-v1:0", output_config=FORMAT)
    assert "outputConfig" not in told
    assert "JSON Schema" in told["system"][-1]["text"]
    assert "outputConfig" not in body(OLD, output_config=FORMAT)


def test_thinking_that_another_claude_signed_stays_away_from_one_that_refuses_it() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "SIG"}
    turns = [user("a"), assistant(thought, text("b")), user("c")]
    asked = {**ASK, "model": "claude-opus-4-1", "messages": turns}
    assert len(built(asked, target(CLAUDE))["messages"][1]["content"]) == 1
    assert len(built(asked, target(NEW))["messages"][1]["content"]) == 2
    assert len(built({**asked, "model": "claude-sonnet-4-5"}, target(CLAUDE))["messages"][1]["content"]) == 2


@pytest.mark.parametrize(
    ("case", "ask"),
    [
        (
            "converse-tool-thinking/02",
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 5000},
        ),
    ],
)
def test_a_recorded_request_has_the_messages_that_ours_has(case: str, ask: dict[str, Any]) -> None:
    recorded = json.loads((FIXTURES / f"{case}.request.json").read_bytes())
    reasoning, words, use = recorded["messages"][1]["content"]
    signed = reasoning["reasoningContent"]["reasoningText"]
    thought = {"type": "thinking", "thinking": signed["text"], "signature": signed["signature"]}
    id_ = use["toolUse"]["toolUseId"]
    turns = [
        user("What is the largest city in the user country?"),
        assistant(thought, text(words["text"]), call(id_, "get_user_country")),
        user(result(id_, "Mexico")),
    ]
    made = built({**ask, "model": "claude-3-7-sonnet", "messages": turns}, target(OLD))
    recorded["messages"][2]["content"][0]["toolResult"].pop("status")
    assert made["messages"] == recorded["messages"]
    assert made["additionalModelRequestFields"] == recorded["additionalModelRequestFields"]


def test_tokens_are_counted_of_what_would_be_sent() -> None:
    asked = {**ASK, "system": "s", "tools": [WEATHER], "temperature": 0}
    made = build_count(Request("anthropic", b"", asked, "claude-x", False, {}), target(CLAUDE))
    assert made.path.endswith("/count-tokens")
    question = json.loads(made.body)
    assert problems_of("CountTokensRequest", {"modelId": "m", **question}) == []
    assert question["input"]["converse"].keys() == {"messages", "system", "toolConfig"}


def test_what_the_configuration_drops_stays_away() -> None:
    assert "inferenceConfig" not in built(ASK, target(CLAUDE, drop=("inferenceConfig",)))


def test_a_request_that_is_nested_too_deeply_is_refused() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"x": deep}
    turns = [user("a"), assistant({**call("t"), "input": deep}), user(result("t", "x"))]
    with pytest.raises(ApiError, match="nested too deeply"):
        outgoing({"messages": turns}, target(CLAUDE))


THOUGHT = {"type": "thinking", "thinking": "x", "signature": "S"}
OTHERS = ({"type": "redacted_thinking", "data": "R"}, {"type": "novel"}, result("u"))
BLOCKS = st.sampled_from([text("a"), text(" "), call("t"), result("t", "x"), THOUGHT, *OTHERS])
TURNS = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant", "system"]),
        st.lists(BLOCKS, max_size=4) | st.sampled_from(["a", ""]),
    ),
    max_size=6,
)


@settings(max_examples=150)
@given(TURNS, st.sampled_from([CLAUDE, OLD, NEW, OPEN, "mistral.x"]), st.booleans())
def test_whatever_is_said_becomes_what_bedrock_takes(turns: list[Any], model: str, thinks: bool) -> None:
    asked = {**ASK, "messages": turns, **({"thinking": {"type": "adaptive"}} if thinks else {})}
    try:
        made = json.loads(
            build(Canonical(asked), Request("anthropic", b"", asked, "m", True, {}), target(model)).body
        )
    except ApiError:
        return
    assert problems_of("ConverseRequest", {"modelId": "m", **made}) == []
    roles = [message["role"] for message in made["messages"]]
    assert roles == (["user", "assistant"] * len(roles))[: len(roles)]
    for before, after in zip(made["messages"], [*made["messages"][1:], {"content": []}], strict=True):
        called = [block["toolUse"]["toolUseId"] for block in before["content"] if "toolUse" in block]
        answered = [block["toolResult"]["toolUseId"] for block in after["content"] if "toolResult" in block]
        assert called == answered or before["role"] == "user"
