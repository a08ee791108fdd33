from typing import Any

import pytest

from tests.world.chat import target
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_responses.parts import content_of, parts_of, text_part, texts_of
from ucr.errors import ApiError

PNG = "iVBORw0KGgoAAAANSUhEUg=="
PDF = "JVBERi0xLjQKJQ=="
OPENAI = target("openai", "gpt-5.5")


def parts(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    return parts_of(blocks, OPENAI, Notes())


def source(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "source": fields}


def test_an_image_is_a_url_in_a_string() -> None:
    assert parts(source("image", type="base64", media_type="image/jpeg", data=PNG)) == [
        {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PNG}"}
    ]
    assert parts(source("image", type="url", url="https://x.test/a.png")) == [
        {"type": "input_image", "detail": "auto", "image_url": "https://x.test/a.png"}
    ]


@pytest.mark.parametrize("kind", [pytest.param("document", id="edge-85")])
def test_a_document_may_be_named_by_its_url(kind: str) -> None:
    assert parts(source(kind, type="url", url="https://x.test/a.pdf")) == [
        {"type": "input_file", "file_url": "https://x.test/a.pdf"}
    ]


def test_a_document_is_a_file() -> None:
    block = {**source("document", type="base64", media_type="application/pdf", data=PDF), "title": "t.pdf"}
    assert parts(block) == [
        {"type": "input_file", "filename": "t.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    ]


def test_a_provider_that_takes_no_files_gets_words() -> None:
    block = source("document", type="url", url="https://x.test/a.pdf")
    notes = Notes()
    assert parts_of((block,), target(), notes) == [text_part("[document at https://x.test/a.pdf]")]
    assert notes.phrases == ("a document was passed as its URL",)


def test_a_model_without_eyes_is_shown_nothing() -> None:
    blind = target("openai", "gpt-5.5", text_models=("gpt-5.5",))
    with pytest.raises(ApiError, match="takes no images"):
        parts_of((source("image", type="url", url="https://x.test/a.png"),), blind, Notes())


def test_texts_alone_are_one_string() -> None:
    both = [text_part("a"), text_part("b")]
    assert content_of(both) == "a\n\nb"
    assert content_of([]) == ""
    mixed = [*both, {"type": "input_file", "file_url": "u"}]
    assert content_of(mixed) == mixed
    assert texts_of(mixed) == ["a", "b"]
