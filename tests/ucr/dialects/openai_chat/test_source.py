from typing import Any

import pytest

from ucr.dialects.openai_chat.source import blocks_of, object_of, objects_of, text_of


@pytest.mark.parametrize("wrong", [None, 1, True, "text", 1.5])
def test_a_value_of_the_wrong_type_is_the_same_as_none(wrong: Any) -> None:
    assert object_of(wrong) == {}
    assert objects_of(wrong) == []
    assert text_of([wrong]) == ""


def test_only_objects_of_a_list_count() -> None:
    assert objects_of([{"a": 1}, None, [], "b"]) == [{"a": 1}]


@pytest.mark.parametrize("content", [pytest.param("", id="edge-90"), " \n", [], None, [{"type": "text"}], [{}]])
def test_blank_content_has_no_blocks(content: Any) -> None:
    assert blocks_of(content) == []


def test_a_string_is_one_block_of_text() -> None:
    assert blocks_of("hello") == [{"type": "text", "text": "hello"}]
    assert blocks_of([{"type": "image"}, {"type": 3}]) == [{"type": "image"}]
