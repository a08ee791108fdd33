import json
from typing import Any

import pytest

from ucr import sse
from ucr.dialects.openai_responses.client_output import Output
from ucr.dialects.openai_responses.client_tools import Origin
from ucr.dialects.openai_responses.client_writers import (
    CallWriter,
    MessageWriter,
    ReasoningWriter,
    SearchWriter,
)
from ucr.events import ToolUse


def kinds(data: bytes) -> list[str]:
    return [json.loads(event.data)["type"].removeprefix("response.") for event in sse.Decoder().feed(data)]


def test_a_message_holds_texts_and_a_refusal() -> None:
    output = Output("1")
    writer = MessageWriter(output)
    data = writer.open() + writer.open_text() + writer.delta("a") + writer.delta("b") + writer.close_text()
    data += writer.refuse("No.") + writer.close(is_whole=False)
    assert kinds(data) == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "content_part.added",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
        "output_item.done",
    ]
    (item,) = output.items
    assert [part.get("text") or part["refusal"] for part in item["content"]] == ["ab", "No."]
    assert item["status"] == "incomplete"


def test_reasoning_without_words_has_no_summary() -> None:
    output = Output("1")
    writer = ReasoningWriter(output)
    writer.signature = "sig"
    assert kinds(writer.open() + writer.close()) == ["output_item.added", "output_item.done"]
    assert output.items[0]["summary"] == []
    assert output.items[0]["encrypted_content"].startswith("ucr1.openai-responses-client.")


@pytest.mark.parametrize(
    ("origin", "opened", "pieces", "given"),
    [
        (Origin("f"), "{}", ['{"a":', "1}"], '{"a":1}'),
        (Origin("f"), '{"a":1}', [], '{"a":1}'),
        (Origin("f", "agents"), "{}", [], "{}"),
        (Origin("f", is_custom=True), "{}", ['{"input":', '"a \\" b"}'], 'a " b'),
        (Origin("f", is_custom=True), "{}", ['{"x":1}'], '{"x":1}'),
        (Origin("f", is_custom=True), "{}", ['{"input":'], '{"input":'),
    ],
)
def test_a_call_is_what_the_client_made_of_the_tool(
    origin: Origin, opened: str, pieces: list[str], given: str
) -> None:
    output = Output("1")
    writer = CallWriter(output, ToolUse("call_1", "full", opened), origin)
    data = writer.open() + b"".join(map(writer.delta, pieces)) + writer.close()
    (item,) = output.items
    known: dict[str, Any] = {"call_id": "call_1", "name": "f"}
    assert {key: item[key] for key in known} == known
    assert item.get("namespace", "") == origin.namespace
    assert item["input" if origin.is_custom else "arguments"] == given
    told = [json.loads(event.data) for event in sse.Decoder().feed(data)]
    assert "".join(event["delta"] for event in told if "delta" in event) == given
    assert [event["sequence_number"] for event in told] == list(range(len(told)))


@pytest.mark.parametrize(
    ("piece", "query"), [('{"query":"q"}', "q"), ("{", ""), ("[]", ""), ('{"query":7}', "")]
)
def test_a_search_with_broken_arguments_is_a_search_for_nothing(piece: str, query: str) -> None:
    output = Output("1")
    writer = SearchWriter(output, {"query": "else"})
    assert kinds(writer.open()) == ["output_item.added", "web_search_call.in_progress"]
    assert writer.delta(piece) == b""
    writer.close()
    assert output.items[0]["action"]["query"] == query
