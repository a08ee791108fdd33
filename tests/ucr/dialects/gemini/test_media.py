"""Content blocks as parts."""

import base64
from typing import Any

import pytest

from tests.world.chat import text
from tests.world.gemini import target
from ucr.dialects.gemini.media import block_parts, inline, is_media
from ucr.dialects.openai_chat.notes import Notes
from ucr.errors import ApiError

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and more").decode()
PDF = base64.b64encode(b"%PDF-1.7 and more").decode()


def parts(block: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    return block_parts(block, target(**changes), Notes())


def media(kind: str, **source: str) -> dict[str, Any]:
    return {"type": kind, "source": source}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param(text("hi"), {"text": "hi"}, id="text"),
        pytest.param(
            media("image", type="base64", media_type="image/jpeg", data=PNG),
            {"inlineData": {"mimeType": "image/png", "data": PNG}},
            id="an-image-is-what-its-bytes-prove",
        ),
        pytest.param(
            media(
                "image",
                type="base64",
                media_type="image/png",
                data=f"data:image/png;base64,{PNG[:8]}\n{PNG[8:]}",
            ),
            {"inlineData": {"mimeType": "image/png", "data": PNG}},
            id="edge-82",
        ),
        pytest.param(
            media("image", type="url", url=f"data:image/webp;base64,{PNG}"),
            {"inlineData": {"mimeType": "image/png", "data": PNG}},
            id="a-data-url",
        ),
        pytest.param(
            media("image", type="url", url="https://x.test/a.JPG?b=.c"),
            {"fileData": {"fileUri": "https://x.test/a.JPG?b=.c", "mimeType": "image/jpeg"}},
            id="edge-80",
        ),
        pytest.param(
            media("document", type="url", url="https://x.test/unknown"),
            {"fileData": {"fileUri": "https://x.test/unknown"}},
            id="an-unknown-type",
        ),
        pytest.param(
            media("document", type="base64", data=PDF),
            {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
            id="a-pdf",
        ),
        pytest.param(media("document", type="text", data="words"), {"text": "words"}, id="a-text"),
        pytest.param(
            media("document", type="base64", media_type="text/plain", data="d29yZHM="),
            {"text": "words"},
            id="a-coded-text",
        ),
        pytest.param(
            {"type": "search_result", "title": "T", "source": "S", "content": [text("c")]},
            {"text": "T\nS\nc"},
            id="a-search-result",
        ),
    ],
)
def test_a_block_becomes_a_part(block: dict[str, Any], expected: dict[str, Any]) -> None:
    assert parts(block) == [expected]


def test_images_inside_of_a_document_stay_images() -> None:
    inner = [text("see"), media("image", type="base64", media_type="image/png", data=PNG)]
    shown = parts({"type": "document", "source": {"type": "content", "content": inner}})
    assert shown == [{"text": "see"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}]


def test_an_unknown_block_is_dropped_and_noted() -> None:
    notes = Notes()
    assert block_parts({"type": "mystery"}, target(), notes) == []
    assert notes.phrases == ("dropped mystery_block",)


def test_a_model_without_eyes_is_shown_no_image() -> None:
    with pytest.raises(ApiError, match="takes no images"):
        parts(media("image", type="base64", data=PNG), images=False)


def test_what_is_declared_counts_where_the_bytes_prove_nothing() -> None:
    assert inline("AAAA", "image/heic", "image/png") == {
        "inlineData": {"mimeType": "image/heic", "data": "AAAA"}
    }
    assert is_media(inline("AAAA", None, "image/png"))
    assert not is_media({"text": "inlineData"})
