import base64
from typing import Any

import pytest

from tests.world.chat import assistant as says
from tests.world.chat import call, messages, outgoing, result, target, text, user
from ucr.dialects.openai_chat.media import clean_base64, sniffed_type
from ucr.errors import ApiError

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(20)).decode()
WEBP = base64.b64encode(b"RIFF\x00\x00\x00\x00WEBPVP8 ").decode()
GIF = base64.b64encode(b"GIF89a" + bytes(20)).decode()
PDF = base64.b64encode(b"%PDF-1.7\n" + bytes(20)).decode()


def image(data: str = PNG, media_type: Any = "image/png") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def at_url(url: str, kind: str = "image") -> dict[str, Any]:
    return {"type": kind, "source": {"type": "url", "url": url}}


def document(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "document", "source": source, **more}


def pdf(**more: Any) -> dict[str, Any]:
    return document({"type": "base64", "media_type": "application/pdf", "data": PDF}, **more)


def content(*blocks: Any, provider: str = "openai", model: str = "gpt-4o") -> Any:
    return messages([user(*blocks)], target(provider, model))[0]["content"]


def test_a_base64_image_becomes_a_data_url_in_its_place() -> None:
    assert content(text("a"), image(), text("b")) == [
        text("a"),
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        text("b"),
    ]


def test_an_image_url_stays_a_url() -> None:
    assert content(at_url("https://x/y.png")) == [
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    ]


@pytest.mark.parametrize(
    ("data", "declared", "told"),
    [
        pytest.param(JPEG, "image/png", "image/jpeg", id="edge-81"),
        (WEBP, None, "image/webp"),
        (GIF, "image/png", "image/gif"),
        ("AAAA", "image/heic", "image/heic"),
        ("%%%", None, "image/png"),
    ],
)
def test_the_media_type_is_what_the_bytes_prove(data: str, declared: Any, told: str) -> None:
    assert content(image(data, declared))[0]["image_url"]["url"] == f"data:{told};base64,{data}"


@pytest.mark.parametrize(
    "sloppy",
    [
        pytest.param(f"data:image/png;base64,{PNG}", id="edge-82"),
        pytest.param(f"{PNG[:10]}\r\n{PNG[10:]}\n", id="edge-82-newlines"),
        f"data:;base64,{PNG}",
    ],
)
def test_sloppy_base64_is_cleaned(sloppy: str) -> None:
    assert clean_base64(sloppy) == PNG
    assert content(image(sloppy))[0]["image_url"]["url"] == f"data:image/png;base64,{PNG}"


def test_a_data_url_as_url_is_an_inline_image() -> None:
    assert content(at_url(f"data:image/png;base64,{PNG}"))[0]["image_url"]["url"].endswith(PNG)


@pytest.mark.parametrize("data", ["", "A", "éé", "====", "AAAA"])
def test_bytes_that_prove_nothing_have_no_type(data: str) -> None:
    assert sniffed_type(data) is None


@pytest.mark.parametrize(
    "block", [pytest.param(image(), id="edge-83"), pytest.param(at_url("https://x"), id="edge-83-url")]
)
@pytest.mark.parametrize("is_in_result", [False, True])
def test_an_image_for_a_model_without_eyes_is_refused_by_name(block: Any, is_in_result: bool) -> None:
    turns = [user("look"), says(call("t1")), user(result("t1", block))] if is_in_result else [user(block)]
    with pytest.raises(ApiError, match="'openai/gpt-oss-120b' of provider 'groq' takes no images") as caught:
        messages(turns, target("groq", "openai/gpt-oss-120b"))
    assert caught.value.status == 400


@pytest.mark.parametrize("provider", [pytest.param("ollama", id="edge-80")])
def test_an_image_url_for_a_provider_that_loads_none_is_refused(provider: str) -> None:
    with pytest.raises(ApiError, match=r"'ollama' loads no image by URL; send https://x/y.png as base64"):
        messages([user(at_url("https://x/y.png"))], target(provider, "llava"))


@pytest.mark.parametrize("source", [{"type": "file", "file_id": "f"}, None, {}, {"type": "base64"}])
def test_an_image_without_a_usable_source_becomes_words_with_a_note(source: Any) -> None:
    sent = outgoing({"messages": [user({"type": "image", "source": source})]})
    assert b"[an image could not be passed to this model" in sent.body
    assert sent.notes == ("an image was replaced by a placeholder",)


def test_a_pdf_becomes_a_file() -> None:
    data_url = f"data:application/pdf;base64,{PDF}"
    assert content(pdf(title="Report"), pdf()) == [
        {"type": "file", "file": {"filename": "Report", "file_data": data_url}},
        {"type": "file", "file": {"filename": "document.pdf", "file_data": data_url}},
    ]


@pytest.mark.parametrize("provider", [pytest.param("deepseek", id="edge-79"), "mistral"])
def test_a_pdf_that_a_provider_cannot_take_is_never_lost_in_silence(provider: str) -> None:
    sent = outgoing({"messages": [user(pdf(title="Report"))]}, target(provider, "m"))
    assert f"[Report could not be passed to this model: provider '{provider}' takes no such files]" in (
        sent.body.decode()
    )
    assert sent.notes == ("a document was replaced by a placeholder",)


@pytest.mark.parametrize("url", [pytest.param("https://x/a.pdf", id="edge-85")])
def test_a_pdf_by_url_is_passed_as_its_url_with_a_note(url: str) -> None:
    sent = outgoing({"messages": [user(at_url(url, "document"))]}, target("openai", "gpt-4o"))
    assert b'"content":"[document at https://x/a.pdf]"' in sent.body
    assert sent.notes == ("a document was passed as its URL",)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param({"type": "text", "media_type": "text/plain", "data": "D"}, "T\nC\nD", id="edge-84"),
        ({"type": "base64", "media_type": "text/plain", "data": "RMO8"}, "T\nC\nDü"),
        ({"type": "content", "content": "D"}, "T\nC\nD"),
        ({"type": "content", "content": [text("D"), text(""), text("E")]}, "T\nC\n\nD\n\nE"),
    ],
)
def test_the_text_of_a_document_follows_its_title_and_context(source: Any, expected: str) -> None:
    assert content(document(source, title="T", context="C")) == expected


def test_a_document_of_blocks_keeps_its_images() -> None:
    inner = [text("D"), image(), {"type": "video"}]
    sent = outgoing({"messages": [user(document({"type": "content", "content": inner}))]})
    assert PNG.encode() in sent.body
    assert sent.notes == ("dropped video_block",)


@pytest.mark.parametrize("data", [pytest.param("", id="blank"), " "])
def test_a_document_without_text_says_nothing(data: str) -> None:
    assert content(document({"type": "text", "data": data}), text("hi")) == "hi"


@pytest.mark.parametrize("data", ["!", "A"])
def test_text_that_is_no_base64_is_passed_as_it_is(data: str) -> None:
    assert content(document({"type": "base64", "media_type": "text/plain", "data": data})) == data
