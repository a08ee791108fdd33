import base64
from typing import Any

import pytest

from tests.world.bedrock import CLAUDE, target
from ucr.dialects.bedrock.content import ATTACHED, Content, with_words
from ucr.dialects.openai_chat.notes import Notes
from ucr.errors import ApiError

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
PDF = base64.b64encode(b"%PDF-1.7").decode()
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def source(kind: str, media_type: str, data: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}, **more}


def parts(*blocks: dict[str, Any], model: str = CLAUDE) -> list[dict[str, Any]]:
    return Content(target(model), Notes()).parts(blocks)


@pytest.mark.parametrize(
    ("block", "format_"),
    [
        (source("image", "image/jpeg", PNG), "png"),
        (source("image", "image/webp", "AAAA"), "webp"),
        ({"type": "image", "source": {"type": "url", "url": f"data:image/gif;base64,{PNG}"}}, "png"),
    ],
)
def test_an_image_is_what_its_bytes_prove(block: dict[str, Any], format_: str) -> None:
    ((image,),) = [part.values() for part in parts(block)]
    assert image["format"] == format_


def test_a_model_without_eyes_is_shown_no_image() -> None:
    with pytest.raises(ApiError, match="takes no images"):
        parts(source("image", "image/png", PNG), model="openai.gpt-oss-120b-1:0")


@pytest.mark.parametrize("edge", [pytest.param(80, id="edge-80")])
def test_an_image_that_would_have_to_be_loaded_is_refused(edge: int) -> None:
    block = {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}}
    with pytest.raises(ApiError, match="loads no image by URL"):
        parts(block)


def test_documents_have_names_that_bedrock_takes_and_no_two_the_same() -> None:
    found = parts(
        source("document", "application/pdf", PDF, title="My file/№1 (final).pdf", context="why"),
        source("document", DOCX, "AAAA"),
    )
    assert found == [
        {
            "document": {
                "format": "pdf",
                "name": "My file 1 (final) pdf 1",
                "source": {"bytes": PDF},
                "context": "why",
            }
        },
        {"document": {"format": "docx", "name": "document 2", "source": {"bytes": "AAAA"}}},
    ]
    assert with_words(found)[-1] == {"text": ATTACHED}
    assert with_words([*found, {"text": "a"}]) == [*found, {"text": "a"}]
    assert with_words([{"text": "a"}]) == [{"text": "a"}]


def test_a_document_of_text_is_text() -> None:
    words = base64.b64encode(b"hello").decode()
    block = {
        "type": "document",
        "title": "t",
        "source": {"type": "text", "media_type": "text/plain", "data": "hi"},
    }
    assert parts(source("document", "text/plain", words), block) == [{"text": "hello"}, {"text": "t\nhi"}]


@pytest.mark.parametrize("edge", [pytest.param(130, id="edge-130")])
@pytest.mark.parametrize(
    ("model", "mark", "points"),
    [
        (CLAUDE, {"type": "ephemeral"}, [{"cachePoint": {"type": "default"}}]),
        (CLAUDE, {"type": "ephemeral", "ttl": "1h"}, [{"cachePoint": {"type": "default", "ttl": "1h"}}]),
        (CLAUDE, {"type": "ephemeral", "ttl": "5m"}, [{"cachePoint": {"type": "default"}}]),
        ("amazon.nova-pro-v1:0", {"type": "ephemeral"}, [{"cachePoint": {"type": "default"}}]),
        ("mistral.x", {"type": "ephemeral"}, []),
        (CLAUDE, None, []),
    ],
)
def test_a_mark_of_the_cache_is_a_point_behind_its_block(
    model: str, mark: object, points: list[Any], edge: int
) -> None:
    assert parts({"type": "text", "text": "a", "cache_control": mark}, model=model) == [{"text": "a"}, *points]
