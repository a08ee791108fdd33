import json
from typing import Any

import pytest

from tests.world.chat import (
    TESTS,
    answered,
    assistant,
    built,
    call,
    messages,
    outgoing,
    result,
    said,
    target,
    text,
    user,
)
from ucr.dialects.envelope import seal
from ucr.dialects.tool_ids import to_client
from ucr.errors import ApiError

IMAGE = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
IMAGE_PART = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}


def thought(words: str, provider: str, **state: Any) -> dict[str, Any]:
    return {"type": "thinking", "thinking": words, "signature": seal(provider, state)}


def recorded(case: str, number: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((TESTS / "fixtures" / case / f"{number}.request.json").read_bytes())
    return body


# System


@pytest.mark.parametrize(
    ("model", "role"),
    [pytest.param("gpt-5.6", "developer", id="edge-71"), ("gpt-4o", "system")],
)
def test_the_system_prompt_is_one_leading_message(model: str, role: str) -> None:
    system = [text("a", cache_control={"type": "ephemeral"}), text("b")]
    assert messages([user("hi")], target("openai", model), system=system)[0] == {
        "role": role,
        "content": "a\n\nb",
    }


@pytest.mark.parametrize(
    "system", [pytest.param("", id="edge-72"), pytest.param([], id="edge-72-list"), None, " "]
)
def test_an_empty_system_prompt_is_left_out(system: Any) -> None:
    assert messages([user("hi")], system=system) == [{"role": "user", "content": "hi"}]


def test_a_model_without_system_messages_reads_it_in_the_first_user_turn() -> None:
    to = target("openai", "o1-mini")
    assert messages([user("hi"), user(IMAGE)], to, system="be kind")[0]["content"] == "be kind\n\nhi"
    assert messages([user(IMAGE)], to, system="be kind")[0]["content"] == [text("be kind"), IMAGE_PART]
    assert messages([assistant("hi"), user("a")], to, system="be kind")[0] == {
        "role": "user",
        "content": "be kind",
    }


@pytest.mark.parametrize(
    ("provider", "model", "written"),
    [
        pytest.param("openai", "gpt-5.6", {"role": "developer", "content": "now"}, id="edge-73"),
        pytest.param("deepseek", "m", {"role": "system", "content": "now"}, id="edge-73-system"),
        pytest.param(
            "ollama",
            "m",
            {"role": "user", "content": "<system-reminder>\nnow\n</system-reminder>"},
            id="edge-73-user",
        ),
    ],
)
def test_a_system_turn_in_the_middle_stays_in_its_place(provider: str, model: str, written: Any) -> None:
    turns = [
        user("a"),
        {"role": "system", "content": [text("now")], "output_config": {"effort": "low"}},
        user("b"),
    ]
    assert messages(turns, target(provider, model))[1] == written


def test_empty_system_turns_vanish_and_leading_ones_join_the_prompt() -> None:
    turns = [{"role": "system", "content": [text("b"), IMAGE]}, user("x"), {"role": "system", "content": []}]
    assert messages(turns, system="a") == [
        {"role": "system", "content": "a\n\nb"},
        {"role": "user", "content": "x"},
    ]


# Tool results


@pytest.mark.parametrize(
    ("block", "content"),
    [
        pytest.param(result("t1"), "", id="edge-76"),
        (result("t1", ""), ""),
        (result("t1", text("a"), text("b")), "a\n\nb"),
        pytest.param(result("t1", "no file", is_error=True), "Error: no file", id="edge-77"),
        pytest.param(result("t1", is_error=True), "Error:", id="edge-77-empty"),
        (result("t1", "fine", is_error=False), "fine"),
        (
            result("t1", {"type": "tool_reference", "tool_name": "Web"}),
            "The tool Web is now loaded and can be called.",
        ),
    ],
)
def test_a_tool_result_is_told_in_one_tool_message(block: Any, content: str) -> None:
    assert messages([user("go"), assistant(call("t1")), user(block)])[2] == answered("t1", content)


@pytest.mark.parametrize("block", [pytest.param(IMAGE, id="edge-78")])
def test_an_image_in_a_result_is_shown_after_all_tool_messages(block: Any) -> None:
    turns = [
        user("go"),
        assistant(call("t1"), call("t2")),
        user(result("t1", text("a"), block), result("t2", "b"), "c"),
    ]
    assert messages(turns)[2:] == [
        answered("t1", "a\n\n[image: see the next user message]"),
        answered("t2", "b"),
        {"role": "user", "content": [text("From the result of get_weather (t1):"), IMAGE_PART]},
    ]


@pytest.mark.parametrize("provider", [pytest.param("perplexity", id="no-tools")])
def test_a_provider_without_tools_is_told_of_them_in_words(provider: str) -> None:
    turns = [user("go"), assistant(text("ok"), call("t1", city="Rome")), user(result("t1", "sunny", IMAGE))]
    sent = outgoing({"messages": turns, "tools": [{"name": "get_weather"}]}, target(provider, "sonar"))
    body = json.loads(sent.body)
    assert [message["content"] for message in body["messages"]] == [
        "go",
        'ok\n\n[called get_weather with {"city":"Rome"}]',
        "[result of get_weather]\n\nsunny",
    ]
    assert "tools" not in body
    assert sent.notes == ("dropped all tools",)


def test_a_pdf_is_written_as_in_a_recorded_request() -> None:
    recording = recorded("openai-chat/pdf-file", "01")["messages"]
    file = recording[0]["content"][1]["file"]
    source = {"type": "base64", "media_type": "application/pdf", "data": file["file_data"]}
    words = recording[0]["content"][0]["text"]
    turn = user(text(words), {"type": "document", "source": source, "title": file["filename"]})
    assert messages([turn], target("openai", "gpt-4o")) == recording


@pytest.mark.parametrize("id_", [pytest.param("call_4hrT4QP9jfojtK69vGiFCFjG", id="edge-78")])
def test_an_image_from_a_tool_is_shown_as_in_a_recorded_conversation(id_: str) -> None:
    recording = recorded("openai-chat/image-tool-response", "02")["messages"]
    words = recording[0]["content"][0]["text"]
    url = recording[3]["content"][1]["image_url"]["url"]
    image = {"type": "image", "source": {"type": "url", "url": url}}
    turns = [user(words), assistant(call(id_, "get_image")), user(result(id_, image))]
    assert messages(turns, target("openai", "gpt-4o")) == [
        {"role": "user", "content": words},
        {**recording[1], "content": None},
        {**recording[2], "content": "[image: see the next user message]"},
        {
            "role": "user",
            "content": [text(f"From the result of get_image ({id_}):"), recording[3]["content"][1]],
        },
    ]


# Assistant turns


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param([{"type": "thinking", "thinking": "hm", "signature": "EqQB"}], id="edge-89"),
        pytest.param([{"type": "redacted_thinking", "data": "x"}], id="edge-102"),
        pytest.param([text("")], id="edge-90"),
    ],
)
def test_an_assistant_turn_that_says_nothing_is_left_out(blocks: list[Any]) -> None:
    assert messages([user("a"), assistant(*blocks), user("b")]) == [
        {"role": "user", "content": "a"},
        {"role": "user", "content": "b"},
    ]


@pytest.mark.parametrize("provider", [pytest.param("openai", id="edge-98"), "groq", "local"])
def test_claudes_thinking_is_never_visible_text(provider: str) -> None:
    turn = assistant({"type": "thinking", "thinking": "SECRET", "signature": "EqQB"}, text("hello"))
    sent = outgoing({"messages": [user("a"), turn, user("b")]}, target(provider, "m"))
    assert b"SECRET" not in sent.body
    assert b'{"role":"assistant","content":"hello"}' in sent.body


def test_text_that_citations_cut_is_put_together() -> None:
    cited = text("blue", citations=[{"type": "char_location"}])
    turns = [user("a"), assistant(text("It is "), cited, text(".")), user("b")]
    assert messages(turns)[1]["content"] == "It is blue."


def test_an_attachment_of_an_assistant_turn_is_dropped_with_a_note() -> None:
    sent = outgoing({"messages": [user("a"), assistant(text("b"), IMAGE), user("c")]})
    assert sent.notes == ("dropped attachment",)


@pytest.mark.parametrize(
    ("input_", "arguments"),
    [
        pytest.param({"id": 12345678901234567890123}, '{"id":12345678901234567890123}', id="edge-131"),
        pytest.param({"z": "größe", "a": 1}, '{"z":"größe","a":1}', id="edge-131-text"),
        ({}, "{}"),
        (None, "{}"),
        ("", "{}"),
        ('{"a":1.0}', '{"a":1.0}'),
        ([1], '{"_raw":[1]}'),
    ],
)
def test_the_arguments_of_a_call_are_kept_exactly(input_: Any, arguments: str) -> None:
    block = {"type": "tool_use", "id": "t1", "name": "f", "input": input_}
    sent = messages([user("go"), assistant(block), user(result("t1", "ok"))])
    assert sent[1]["tool_calls"] == [said("t1", "f", arguments)]


@pytest.mark.parametrize("name", [pytest.param("never_offered", id="edge-132")])
def test_a_call_of_a_tool_that_is_not_offered_stays(name: str) -> None:
    sent = messages(
        [user("go"), assistant(call("t1", name)), user(result("t1", "no such tool", is_error=True))]
    )
    assert sent[1]["tool_calls"] == [said("t1", name)]


@pytest.mark.parametrize("blocks", [pytest.param([call("t1")], id="edge-91"), [text(" "), call("t1")]])
def test_a_turn_of_calls_alone_has_no_content(blocks: list[Any]) -> None:
    sent = messages([user("go"), assistant(*blocks), user(result("t1", "ok"))])
    assert sent[1] == {"role": "assistant", "content": None, "tool_calls": [said("t1")]}


# Ids


@pytest.mark.parametrize("id_", [pytest.param("toolu_01XyZ", id="edge-133")])
def test_mistral_gets_one_id_of_nine_on_the_call_and_its_result(id_: str) -> None:
    sent = messages([user("go"), assistant(call(id_)), user(result(id_, "ok"))], target("mistral", "m"))
    short = sent[1]["tool_calls"][0]["id"]
    assert len(short) == 9 and short.isalnum()
    assert sent[2]["tool_call_id"] == short


def test_kimi_gets_its_own_ids_back() -> None:
    id_ = to_client("functions.get_weather:0")
    sent = messages([user("go"), assistant(call(id_)), user(result(id_, "ok"))], target("moonshot", "kimi"))
    assert sent[1]["tool_calls"][0]["id"] == "functions.get_weather:0"
    assert sent[2]["tool_call_id"] == "functions.get_weather:0"


# State that providers want back


@pytest.mark.parametrize("number", [pytest.param("03", id="edge-105")])
def test_deepseek_gets_the_reasoning_of_every_message_of_the_turn(number: str) -> None:
    recording = recorded("deepseek/thinking-tools-multiturn", number)["messages"]
    turns: list[dict[str, Any]] = []
    for message in recording:
        match message["role"]:
            case "system" | "user":
                turns.append({"role": message["role"], "content": message["content"]})
            case "assistant":
                blocks = (
                    [thought(message["reasoning_content"], "deepseek")] if message["reasoning_content"] else []
                )
                blocks += [text(message["content"])] if message["content"] else []
                for made in message["tool_calls"]:
                    arguments = json.loads(made["function"]["arguments"])
                    blocks.append(call(made["id"], made["function"]["name"], **arguments))
                turns.append(assistant(*blocks))
            case "tool":
                turns.append(user(result(message["tool_call_id"], message["content"])))
    for message in recording:
        for made in message.get("tool_calls", ()):
            made["function"]["arguments"] = made["function"]["arguments"].replace(": ", ":")
    system = "\n\n".join(message["content"] for message in recording[:2])
    sent = messages(turns, target("deepseek", "deepseek-reasoner"))
    assert sent == [{"role": "system", "content": system}, *recording[2:]]


def test_lost_reasoning_is_empty_where_it_must_be_present() -> None:
    turns = [
        user("a"),
        assistant("plain"),
        user("b"),
        assistant(call("t1")),
        user(result("t1", "ok")),
        assistant("done"),
        user("c"),
    ]
    sent = [m for m in messages(turns, target("deepseek", "m")) if m["role"] == "assistant"]
    assert [m.get("reasoning_content") for m in sent] == [None, "", ""]
    assert all("reasoning_content" not in m for m in messages(turns, target("zai", "m")))


def test_the_state_of_one_provider_never_reaches_another() -> None:
    details = [{"type": "reasoning.encrypted", "data": "SECRET"}]
    turn = assistant(thought("SECRET", "other", reasoning_details=details), text("hi"))
    for name in ("openrouter", "deepseek", "mistral", "google", "local"):
        assert b"SECRET" not in outgoing({"messages": [user("a"), turn, user("b")]}, target(name, "m")).body


@pytest.mark.parametrize("name", [pytest.param("openrouter", id="edge-107")])
def test_openrouter_gets_its_reasoning_details_unchanged_and_in_order(name: str) -> None:
    details = [
        {"type": "reasoning.text", "text": "a", "signature": "s", "index": 0},
        {"type": "reasoning.encrypted", "data": "b", "id": "x", "index": 1},
    ]
    turn = assistant(thought("a", name, reasoning_details=details), call("t1"))
    sent = messages([user("go"), turn, user(result("t1", "ok"))], target(name, "m"))
    assert sent[1]["reasoning_details"] == details
    assert "reasoning_content" not in sent[1]


def test_mistral_gets_its_thinking_as_chunks_before_the_text() -> None:
    chunk = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True}
    turn = assistant(thought("hm", "mistral", thinking_chunks=[chunk]), text("hi"))
    sent = messages([user("a"), turn, user("b")], target("mistral", "magistral-medium-latest"))
    assert sent[1] == {"role": "assistant", "content": [chunk, text("hi")]}


@pytest.mark.parametrize("name", [pytest.param("google", id="edge-103")])
def test_google_gets_the_thought_signature_on_the_call_that_bore_it(name: str) -> None:
    extra = {"google": {"thought_signature": "AVSo"}}
    turn = assistant(thought("", name, extra_content={"t1": extra}), call("t1"), call("t2"))
    sent = messages([user("go"), turn, user(result("t1", "a"), result("t2", "b"))], target(name, "gemini-3"))
    assert sent[1]["tool_calls"] == [{**said("t1"), "extra_content": extra}, said("t2")]


@pytest.mark.parametrize("name", [pytest.param("google", id="edge-104")])
def test_calls_of_another_model_bear_googles_word_on_the_first_only(name: str) -> None:
    turns = [user("go"), assistant(call("t1"), call("t2")), user(result("t1", "a"), result("t2", "b"))]
    skip = {"google": {"thought_signature": "skip_thought_signature_validator"}}
    sent = messages(turns, target(name, "gemini-3"))
    assert sent[1]["tool_calls"] == [{**said("t1"), "extra_content": skip}, said("t2")]
    assert messages(turns)[1]["tool_calls"] == [said("t1"), said("t2")]


# Nothing to say


@pytest.mark.parametrize("turns", [[], [user("")], [{"role": "system", "content": "x"}], None, [assistant([])]])
def test_a_request_that_says_nothing_is_refused(turns: Any) -> None:
    with pytest.raises(ApiError, match="messages: no message has any content") as caught:
        built({"messages": turns, "system": "be kind"})
    assert caught.value.status == 400
