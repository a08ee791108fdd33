from typing import Any

import pytest

from ucr.dialects.openai_responses.client_parts import ASSISTANT, SYSTEM, USER, blocks, output_content
from ucr.errors import ApiError

PNG = "iVBORw0KGgoAAAANSUhEUg=="
PDF = "JVBERi0xLjQKJQ=="


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "input_text", "text": "a"}, {"type": "text", "text": "a"}),
        (
            {"type": "input_image", "image_url": f"data:image/jpeg;base64,{PNG}", "detail": "auto"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ),
        (
            {"type": "input_image", "image_url": "https://x.test/a.png"},
            {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                "title": "a.pdf",
            },
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_url": "https://x.test/a.pdf"},
            {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}, "title": "a.pdf"},
        ),
    ],
)
def test_parts_of_the_user(part: Any, block: Any) -> None:
    assert blocks([part], "p", USER) == [block]


def test_a_text_is_one_block_and_a_blank_one_none() -> None:
    assert blocks("a", "p", SYSTEM) == [{"type": "text", "text": "a"}]
    assert blocks(" ", "p", SYSTEM) == []
    said = [{"type": "output_text", "text": "a", "annotations": []}, {"type": "refusal", "refusal": "b"}]
    assert [block["text"] for block in blocks(said, "p", ASSISTANT)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (3, "p: expected a string or an array"),
        ([{"type": "input_video"}], r"p\[0\].type: expected one of"),
        ([{"type": "input_image", "file_id": "f"}], r"p\[0\]: only images sent as image_url"),
        ([{"type": "input_file", "file_id": "f"}], r"p\[0\]: only files sent as file_data"),
        ([{"type": "input_audio"}], "audio input cannot be translated"),
    ],
)
def test_what_cannot_be_translated_is_refused_at_its_place(content: Any, words: str) -> None:
    with pytest.raises(ApiError, match=words):
        blocks(content, "p", USER)


def test_the_output_of_a_tool_is_text_or_blocks_or_nothing() -> None:
    assert output_content(" x ", "p") == " x "
    assert output_content("", "p") is None
    assert output_content([], "p") is None
    assert output_content([{"type": "input_text", "text": "x"}], "p") == [{"type": "text", "text": "x"}]
