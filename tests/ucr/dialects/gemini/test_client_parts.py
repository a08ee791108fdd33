"""Parts of the user as canonical blocks."""

from typing import Any

import pytest

from ucr.dialects.gemini.client_parts import media_block, result_block, user_block
from ucr.errors import ApiError


def inline(kind: str, data: str = "AAAA") -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": data}}


def linked(uri: str, kind: str | None = None) -> dict[str, Any]:
    return {"fileData": {"fileUri": uri} if kind is None else {"file_uri": uri, "mime_type": kind}}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        pytest.param({"text": "hi"}, {"type": "text", "text": "hi"}, id="text"),
        pytest.param({"text": " \n"}, None, id="blank"),
        pytest.param(
            inline("image/jpg", "A-_A"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "A+/A"}},
            id="image",
        ),
        pytest.param(
            inline("application/pdf"),
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}},
            id="pdf",
        ),
        pytest.param(
            inline("text/markdown; charset=utf-8", "d29yZHM"),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
            id="text-file",
        ),
        pytest.param(
            linked("https://x.test/a"),
            {"type": "image", "source": {"type": "url", "url": "https://x.test/a"}},
            id="url",
        ),
        pytest.param(
            linked("https://x.test/a", "application/pdf"),
            {"type": "document", "source": {"type": "url", "url": "https://x.test/a"}},
            id="pdf-url",
        ),
    ],
)
def test_a_part_becomes_a_block(part: dict[str, Any], block: dict[str, Any] | None) -> None:
    assert user_block(part, "p") == block


@pytest.mark.parametrize(
    ("part", "words"),
    [
        pytest.param(inline("video/mp4"), "p.inlineData.mimeType: .*video/mp4", id="video"),
        pytest.param(linked("https://youtu.be/x", "video/mp4"), "p.fileData.mimeType: ", id="youtube"),
        pytest.param(linked("gs://bucket/a"), "p.fileData.fileUri: .*no access", id="bucket"),
        pytest.param(
            linked("https://generativelanguage.googleapis.com/v1beta/files/a"),
            "no access",
            id="an-uploaded-file",
        ),
        pytest.param({"executableCode": {}}, "p: this provider takes text, images and PDF files", id="code"),
        pytest.param({}, "not nothing", id="empty"),
        pytest.param({"text": 3}, "p.text: expected a string", id="no-text"),
        pytest.param({"inlineData": []}, "p.inlineData: expected an object", id="no-blob"),
        pytest.param(inline("text/plain", "A"), "expected base64", id="no-base64"),
    ],
)
def test_what_no_other_provider_takes_is_refused_by_its_path(part: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        user_block(part, "p")
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("response", "content", "is_error"),
    [
        ({"output": "sunny"}, "sunny", False),
        ({"result": {"a": 1}}, '{"a":1}', False),
        ({"error": "no"}, "no", True),
        ({"a": 1, "error": 2}, '{"a":1,"error":2}', False),
        ({"return_value": "Mexico"}, '{"return_value":"Mexico"}', False),
        ({}, "{}", False),
        (None, "{}", False),
    ],
)
def test_a_response_becomes_a_result(response: Any, content: str, is_error: bool) -> None:
    made = result_block({"name": "f", "response": response}, "t1", "p")
    assert made.pop("is_error", False) is is_error
    assert made == {"type": "tool_result", "tool_use_id": "t1", "content": content}


def test_an_image_in_a_response_stays_one() -> None:
    made = result_block({"response": {"output": "see"}, "parts": [inline("image/png")]}, "t1", "p")
    assert [block["type"] for block in made["content"]] == ["text", "image"]
    alone = result_block({"response": {"output": ""}, "parts": [inline("image/png"), {}]}, "t1", "p")
    assert [block["type"] for block in alone["content"]] == ["image"]
    assert media_block({}, "p") is None
