import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr import jsontext
from ucr.estimate import (
    IMAGE_TOKENS,
    PAGE_TOKENS,
    PAGES_LIMIT,
    TOOLS_PROMPT_TOKENS,
    TURN_TOKENS,
    Calibration,
    estimate,
    quick_estimate,
    text_tokens,
)

PROSE = "Please explain what Python is and what people mainly use it for. "
CODE = "for index, item in enumerate(self._items):\n    if item.id == wanted:\n        return items[index]\n"
IDEOGRAPHS = "请解释一下什么是编程语言以及它的主要用途"


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)
    return base64.b64encode(head + bytes(3000)).decode()


def ask(*content: Any, **fields: Any) -> Any:
    return {"messages": [{"role": "user", "content": list(content)}], **fields}


def cost(*content: Any) -> int:
    """Return what blocks of a user turn add."""
    return estimate(ask(*content), "anthropic") - TURN_TOKENS


def image(data: str) -> Any:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def document(**source: Any) -> Any:
    return {"type": "document", "source": source}


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        (PROSE, 13, 18),
        (CODE, 25, 36),
        (IDEOGRAPHS, 18, 26),
        ("1234567890" * 10, 33, 60),
        ("Übergrößenträger", 4, 9),
        ("🙂🙃", 3, 6),
        ("", 0, 0),
        ("x", 1, 1),
    ],
)
def test_a_text_is_weighed_by_its_kinds_of_characters(text: str, low: int, high: int) -> None:
    assert low <= text_tokens(text) <= high


def test_code_weighs_more_than_prose_and_ideographs_more_than_both() -> None:
    per_character = [text_tokens(text * 20) / len(text * 20) for text in (PROSE, CODE, IDEOGRAPHS)]
    assert per_character == sorted(per_character)
    assert per_character[0] < per_character[1] < per_character[2]


RECORDED = {
    "model": "claude-sonnet-4-5",
    "messages": [
        {
            "role": "user",
            "content": [
                {
                    "type": "text",
                    "text": "Please explain what Python is and its main use cases. " * 100,
                    "cache_control": {"type": "ephemeral"},
                }
            ],
        }
    ],
    "cache_control": {"ttl": "5m", "type": "ephemeral"},
}
RECORDED_TOKENS = 1114


def test_a_recorded_request_is_estimated_within_a_fifth() -> None:
    assert abs(estimate(RECORDED, "anthropic") / RECORDED_TOKENS - 1) < 0.2


TOOL = {
    "name": "f",
    "description": PROSE,
    "input_schema": {"type": "object", "properties": {"x": {"type": "string"}}},
}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"tools": [TOOL]}, id="edge-185-tools"),
        pytest.param({"system": [{"type": "text", "text": PROSE}]}, id="edge-185-system-array"),
        pytest.param({"system": PROSE}, id="edge-185-system-string"),
        pytest.param(
            {"output_config": {"format": {"type": "json_schema", "schema": TOOL}}}, id="edge-185-schema"
        ),
    ],
)
def test_every_part_of_a_request_counts(fields: Any) -> None:
    assert (
        estimate(ask({"type": "text", "text": "hi"}, **fields), "openai-chat")
        > cost({"type": "text", "text": "hi"}) + 12
    )


@pytest.mark.parametrize(
    ("block", "low", "high"),
    [
        pytest.param(image(png(300, 250)), 100, 100, id="edge-185-image"),
        pytest.param(image(png(4000, 4000)), IMAGE_TOKENS, IMAGE_TOKENS, id="edge-185-large-image"),
        pytest.param(image("AAAA"), IMAGE_TOKENS, IMAGE_TOKENS, id="edge-185-unknown-image"),
        pytest.param(image(png(0, 9)), 1, 1, id="edge-185-empty-image"),
        pytest.param(
            {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
            IMAGE_TOKENS,
            IMAGE_TOKENS,
            id="edge-185-image-url",
        ),
        pytest.param(
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + png(300, 250)}},
            100,
            100,
            id="edge-185-openai-image",
        ),
        pytest.param(
            {"type": "image_url", "image_url": "https://x.test/a.png"},
            IMAGE_TOKENS,
            IMAGE_TOKENS,
            id="edge-185-openai-image-url",
        ),
        pytest.param(
            document(type="text", media_type="text/plain", data=PROSE), 13, 18, id="edge-185-text-document"
        ),
        pytest.param(
            document(type="content", content=[{"type": "text", "text": PROSE}]),
            13,
            18,
            id="edge-185-content-document",
        ),
        pytest.param(
            document(type="url", url="https://x.test/a.pdf"),
            3 * PAGE_TOKENS,
            3 * PAGE_TOKENS,
            id="edge-185-document-url",
        ),
        pytest.param(
            {"type": "tool_use", "id": "t", "name": "f", "input": {"x": PROSE}}, 20, 32, id="edge-185-tool-use"
        ),
        pytest.param(
            {"type": "tool_result", "tool_use_id": "t", "content": [image(png(300, 250))]},
            108,
            108,
            id="edge-185-image-in-result",
        ),
        pytest.param({"type": "tool_result", "tool_use_id": "t"}, 8, 8, id="edge-185-result-of-nothing"),
        pytest.param(
            {"type": "thinking", "thinking": PROSE, "signature": "x" * 999}, 13, 18, id="edge-185-thinking"
        ),
        pytest.param({"type": "redacted_thinking", "data": "x" * 999}, 0, 0, id="edge-185-redacted"),
        pytest.param({"type": "search_result", "title": PROSE}, 18, 34, id="edge-185-unknown-block"),
    ],
)
def test_every_kind_of_block_counts(block: Any, low: int, high: int) -> None:
    assert low <= cost(block) <= high


def test_a_document_counts_its_title_and_its_context() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": PROSE}
    block = {"type": "document", "source": source, "title": PROSE * 2, "context": PROSE * 3}
    assert cost(block) == text_tokens(PROSE) + text_tokens(PROSE * 2) + text_tokens(PROSE * 3)


def test_every_tool_counts_its_json_and_a_little_more() -> None:
    asked = ask({"type": "text", "text": "hi"})
    tool = text_tokens(jsontext.dumps(TOOL).decode()) + 8
    assert (
        estimate({**asked, "tools": [TOOL, TOOL]}, "openai-chat") == estimate(asked, "openai-chat") + 2 * tool
    )
    assert estimate({**asked, "functions": [TOOL]}, "openai-chat") == estimate(asked, "openai-chat") + tool


def pdf(text: bytes) -> str:
    return base64.b64encode(b"%PDF-1.7\n" + text).decode()


@pytest.mark.parametrize(
    ("data", "pages"),
    [
        (pdf(b"<< /Type /Pages >> << /Type /Page >> << /Type/Page >>"), 2),
        (pdf(bytes(10)), 1),
        (pdf(bytes(600_000)), 10),
        (pdf(b"/Type /Page " * 700), PAGES_LIMIT),
        ("%%%", 1),
    ],
)
def test_a_pdf_counts_its_pages_or_is_judged_by_its_size(data: str, pages: int) -> None:
    assert cost(document(type="base64", media_type="application/pdf", data=data)) == pages * PAGE_TOKENS
    assert (
        cost({"type": "file", "file": {"file_data": "data:application/pdf;base64," + data}})
        == pages * PAGE_TOKENS
    )


def test_thinking_from_before_the_last_question_is_not_read_again() -> None:
    thinking = {"role": "assistant", "content": [{"type": "thinking", "thinking": PROSE * 9, "signature": "s"}]}
    results = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}
    question = {"role": "user", "content": "and now?"}
    without = estimate({"messages": [question, results, question]}, "anthropic") + TURN_TOKENS
    assert estimate({"messages": [question, thinking, results, question]}, "anthropic") == without
    assert estimate({"messages": [question, question, thinking, results]}, "anthropic") > without + 90


def test_an_openai_body_counts_its_calls_and_reasoning() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"x": PROSE})}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": PROSE}
    question = {"role": "user", "content": "q"}
    assert (
        estimate({"messages": [question, turn]}, "openai-chat")
        > estimate({"messages": [question]}, "openai-chat") + 40
    )


def test_claude_reads_a_prompt_of_its_own_beside_tools() -> None:
    body = ask({"type": "text", "text": "hi"}, tools=[TOOL])
    assert estimate(body, "anthropic") - estimate(body, "openai-chat") == TOOLS_PROMPT_TOKENS["anthropic"]


@pytest.mark.parametrize(
    "body", [{}, {"messages": 7}, {"messages": [None, {"content": 9}, {"content": [7, {}]}]}]
)
def test_a_malformed_body_still_gets_a_number(body: Any) -> None:
    assert estimate(body, "anthropic") >= 1


def test_a_body_nested_to_the_parsers_limit_still_gets_a_number() -> None:
    deep = jsontext.loads(
        b'{"messages":[{"role":"user","content":[{"type":"x","y":' + b"[" * 240 + b"]" * 240 + b"}]}]}"
    )
    assert estimate(deep, "anthropic") >= 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "type", "content", "source", "data", "text", "thinking", "image_url", "url"]
            ),
            inner
            | st.sampled_from(["user", "image", "document", "base64", "tool_result", "text", "image_url"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["messages", "system", "tools", "output_config"]), VALUES, max_size=4))
def test_any_body_gets_a_number(body: Any) -> None:
    assert estimate(body, "anthropic") >= 1


def test_the_quick_estimate_of_text_is_its_bytes() -> None:
    raw = jsontext.dumps(RECORDED)
    assert quick_estimate(raw) == round(len(raw) / 3.7)
    assert quick_estimate(b"") == 1


def test_the_quick_estimate_weighs_ideographs_more_than_letters() -> None:
    assert quick_estimate(("文" * 900).encode()) == 1000
    assert quick_estimate(b"a" * 2700) == 730


def test_the_quick_estimate_of_a_long_body_needs_only_a_sample_of_it() -> None:
    line = "Read the lines, and then say what they mean: 文 é 😀 and nothing more.\n"
    short, long = quick_estimate((line * 100).encode()), quick_estimate((line * 10_000).encode())
    assert abs(long / 100 - short) < short / 200


@pytest.mark.parametrize("offset", range(17))
def test_the_quick_estimate_finds_an_image_wherever_it_stands(offset: int) -> None:
    raw = b" " * offset + b'{"source":{"type":"base64","data":"' + b"iVBORw0KGgo" + b"A" * 1013 + b'"}}'
    assert abs(quick_estimate(raw) - IMAGE_TOKENS) < 30


@pytest.mark.parametrize(
    "head",
    [
        '{"type":"base64","media_type":"image/png","data":"',
        '{"data":"',
        '{"data": "',
        '{"url":"data:image/png;base64,',
        '{"file_data":"data:image/png;charset=utf-8;base64,',
    ],
)
@pytest.mark.parametrize("size", [3000, 3_000_000])
def test_the_quick_estimate_counts_an_image_once_whatever_its_size(head: str, size: int) -> None:
    raw = (head + "A" * size + '","type":"base64"}').encode()
    assert abs(quick_estimate(raw) - IMAGE_TOKENS) < 30


def test_the_quick_estimate_counts_every_image_and_the_pages_of_a_pdf() -> None:
    raw = jsontext.dumps([image(png(9, 9)), image(png(9, 9)), image(pdf(bytes(600_000)))])
    assert abs(quick_estimate(raw) - (2 * IMAGE_TOKENS + 10 * PAGE_TOKENS)) < 100


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"base64","data":"' + b"short" * 9 + b'"}' + b"x" * 2000,
        b'{"type":"base64","text":"' + b"word " * 400 + b'"}',
        b'{"type":"base64","data":"' + b"word " * 400 + b'"}',
        b'{"type":"base64","data":"' + b"A" * 4000,
        b"base64" + b'"data"' * 5000,
        b";base64" * 5000,
        b";base64,," * 5000,
    ],
)
def test_the_quick_estimate_takes_nothing_else_for_an_image(raw: bytes) -> None:
    assert quick_estimate(raw) == round(len(raw) / 3.7)


def test_a_calibration_knows_nothing_at_first() -> None:
    calibration = Calibration()
    assert calibration.factor("m") == 1.0
    assert calibration.corrected("m", 1000) == 1000
    assert repr(calibration) == "Calibration(0 models)"


def test_the_first_reports_are_averaged() -> None:
    calibration = Calibration()
    calibration.observe("m", 1000, 1200)
    assert calibration.factor("m") == pytest.approx(1.2)
    calibration.observe("m", 1000, 1400)
    assert calibration.factor("m") == pytest.approx(1.3)
    assert calibration.corrected("m", 2000) == 2600
    assert calibration.factor("other") == 1.0


def test_later_reports_move_the_factor_by_their_weight() -> None:
    calibration = Calibration(weight=0.5)
    for _ in range(4):
        calibration.observe("m", 1000, 1000)
    calibration.observe("m", 1000, 2000)
    assert calibration.factor("m") == pytest.approx(1.5)


@pytest.mark.parametrize(("reported", "factor"), [(1_000_000, 4.0), (1, 0.25)])
def test_one_absurd_report_moves_the_factor_only_so_far(reported: int, factor: float) -> None:
    calibration = Calibration()
    calibration.observe("m", 1000, reported)
    assert calibration.factor("m") == factor


@pytest.mark.parametrize(("estimated", "reported"), [(10, 500), (1000, 0), (1000, -1), (0, 9)])
def test_reports_that_say_nothing_are_not_heeded(estimated: int, reported: int) -> None:
    calibration = Calibration()
    calibration.observe("m", estimated, reported)
    assert calibration.factor("m") == 1.0


def test_only_the_latest_models_are_remembered() -> None:
    calibration = Calibration(models_limit=2)
    for model in ("a", "b", "a", "c"):
        calibration.observe(model, 1000, 2000)
    assert [calibration.factor(model) for model in "abc"] == [2.0, 1.0, 2.0]
    assert repr(calibration) == "Calibration(2 models)"


def test_a_corrected_estimate_is_never_nothing() -> None:
    calibration = Calibration()
    calibration.observe("m", 1000, 1)
    assert calibration.corrected("m", 1) == 1
