import base64
from typing import Any

import pytest

from ucr.dialects.openai_chat.client_parts import (
    ASSISTANT_PARTS,
    SYSTEM_PARTS,
    USER_PARTS,
    blocks,
    tool_content,
)
from ucr.errors import ApiError

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0\0\0\x40\0\0\0\x30").decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(20)).decode()
PDF = base64.b64encode(b"%PDF-1.7 and so on").decode()


def user(*parts: Any) -> Any:
    return blocks(list(parts), "c", USER_PARTS)


def image(url: Any) -> Any:
    return {"type": "image_url", "image_url": {"url": url, "detail": "high"}}


def file(**fields: Any) -> Any:
    return {"type": "file", "file": fields}


def test_a_string_is_one_text_block() -> None:
    assert blocks("hi", "c", USER_PARTS) == [{"type": "text", "text": "hi"}]


@pytest.mark.parametrize(
    "content", ["", " \n", [{"type": "text", "text": ""}], [{"type": "text", "text": "\t"}], []]
)
def test_blank_text_is_left_out(content: Any) -> None:
    assert blocks(content, "c", USER_PARTS) == []


def test_a_blank_refusal_part_is_left_out() -> None:
    assert blocks([{"type": "refusal", "refusal": " "}], "c", ASSISTANT_PARTS) == []


def test_a_refusal_part_is_text() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}]
    assert blocks(parts, "c", ASSISTANT_PARTS) == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "no"},
    ]


@pytest.mark.parametrize(
    ("part", "mark"),
    [
        ({"cache_control": {"type": "ephemeral"}}, {"type": "ephemeral"}),
        ({"prompt_cache_breakpoint": {"mode": "explicit"}}, {"type": "ephemeral"}),
        ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}, {"type": "ephemeral", "ttl": "1h"}),
    ],
)
def test_a_cache_breakpoint_is_carried_over(part: Any, mark: Any) -> None:
    assert user({"type": "text", "text": "a", **part}) == [{"type": "text", "text": "a", "cache_control": mark}]


@pytest.mark.parametrize(
    "given",
    [image(f"data:image/png;base64,{PNG}"), {"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"}],
)
def test_an_image_in_a_data_url_becomes_base64(given: Any) -> None:
    assert user(given) == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    ]


def test_an_image_elsewhere_stays_a_url() -> None:
    assert user(image("https://x.test/a.png")) == [
        {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}}
    ]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"data:image/png;base64,{JPEG}", id="edge-81-wrong-label"),
        pytest.param(f"data:image/jpg;base64,{JPEG}", id="edge-81-no-such-label"),
        pytest.param(f"data:;base64,{JPEG}", id="edge-81-no-label"),
        pytest.param(f"data:image/jpeg;base64,{JPEG[:8]}\n{JPEG[8:]}\r\n", id="edge-82-line-breaks"),
        pytest.param(f"DATA:image/jpeg;charset=utf-8;BASE64,{JPEG}", id="edge-82-upper-case"),
        pytest.param(f"data:image/jpeg;base64,{JPEG.rstrip('=')}", id="edge-82-no-padding"),
    ],
)
def test_what_an_image_is_is_read_from_its_bytes(url: str) -> None:
    (block,) = user(image(url))
    assert block["source"] == {"type": "base64", "media_type": "image/jpeg", "data": JPEG}


def test_a_label_is_believed_when_the_bytes_do_not_tell() -> None:
    data = base64.b64encode(b"who knows what").decode()
    (block,) = user(image(f"data:image/jpg;base64,{data}"))
    assert block["source"]["media_type"] == "image/jpeg"


def test_a_pdf_becomes_a_document_with_its_name() -> None:
    expected = {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
        "title": "a.pdf",
    }
    assert user(file(file_data=f"data:application/pdf;base64,{PDF}", filename="a.pdf")) == [expected]
    assert user(file(file_data=PDF, filename="a.pdf")) == [expected]


@pytest.mark.parametrize(
    "fields",
    [
        {"file_data": "data:text/plain;base64,w6QgYg=="},
        {"file_data": "data:application/json;base64,w6QgYg=="},
        {"file_data": "w6QgYg==", "filename": "a.md"},
    ],
)
def test_a_text_file_becomes_a_text_document(fields: Any) -> None:
    title = {"title": fields["filename"]} if "filename" in fields else {}
    source = {"type": "text", "media_type": "text/plain", "data": "ä b"}
    assert user(file(**fields)) == [{"type": "document", "source": source, **title}]


def test_an_image_sent_as_a_file_is_an_image() -> None:
    (block,) = user(file(file_data=f"data:application/octet-stream;base64,{PNG}"))
    assert block == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (7, "c: expected a string or an array of parts"),
        (None, "c: expected a string or an array of parts"),
        (["x"], "c[0]: expected an object, not 'x'"),
        ([{"text": "x"}], "c[0].type: expected one of file, image_url, input_audio, text, not None"),
        ([{"type": "video"}], "c[0].type: expected one of file, image_url, input_audio, text, not 'video'"),
        ([{"type": ["text"]}], "c[0].type: expected one of file, image_url, input_audio, text, not an array"),
        ([{"type": "text", "text": None}], "c[0].text: expected a string, not None"),
        (
            [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}],
            "c[0].type: audio input cannot be translated for this provider; send a transcript as text",
        ),
        ([{"type": "image_url"}], "c[0].image_url: expected a string that is not empty, not None"),
        ([image(3)], "c[0].image_url.url: expected a string that is not empty, not 3"),
        ([image("file:///etc/passwd")], "c[0].image_url.url: expected an http(s) URL or a base64 data URL"),
        (
            [image("data:image/svg+xml,<svg>")],
            "c[0].image_url.url: expected a data URL of the form data:<type>;base64,<data>",
        ),
        ([image("data:image/png;base64,%%%%")], "c[0].image_url.url: the data is not base64"),
        ([image("data:image/png;base64,")], "c[0].image_url.url: the data is not base64"),
        (
            [image("data:image/bmp;base64,Qk0=")],
            "c[0].image_url.url: 'image/bmp' is not an image type that can be sent; use PNG, JPEG, GIF or WebP",
        ),
        ([{"type": "file"}], "c[0].file: expected an object, not None"),
        ([file(file_id="f-1")], "c[0].file: only files sent as file_data can be translated for this provider"),
        (
            [file(file_data="AAAA", filename="a.bin")],
            "c[0].file.file_data: files of type 'unknown' cannot be sent; use PDF, text or an image",
        ),
        ([file(file_data="data:text/plain;base64," + "A" * 41)], "c[0].file.file_data: the data is not base64"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_path(content: Any, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        blocks(content, "c", USER_PARTS)
    assert caught.value.message == words
    assert caught.value.status == 400


def test_a_system_message_has_no_images() -> None:
    with pytest.raises(ApiError, match=r"c\[0\]\.type: expected one of text, not 'image_url'"):
        blocks([image("https://x.test/a.png")], "c", SYSTEM_PARTS)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, None),
        ("", None),
        ([], None),
        (" ", " "),
        ("42", "42"),
        ([{"type": "text", "text": "a"}], [{"type": "text", "text": "a"}]),
        (
            [image("https://x.test/a.png")],
            [{"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}}],
        ),
    ],
)
def test_what_a_tool_answers_keeps_its_form(content: Any, expected: Any) -> None:
    assert tool_content(content, "c") == expected
