import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr import jsontext
from ucr.dialects.model_name import MODEL_VERSION, Places, renamed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b'{"model":"a","x":1}', b'{"model":"new","x":1}', id="edge-150-first"),
        pytest.param(b'{ "x" : 1 , "model"\t:\n"a" }', b'{ "x" : 1 , "model"\t:\n"new" }', id="white-space"),
        pytest.param(b'{"model":"a\\"b\\\\"}', b'{"model":"new"}', id="escapes-in-the-value"),
        pytest.param(b'{"mod\\u0065l":"a"}', b'{"model":"new"}', id="escapes-in-the-key"),
        pytest.param(b'{"model":"a","model":"b"}', b'{"model":"new","model":"new"}', id="duplicates"),
        pytest.param(
            b'{"t":{"model":"x"},"model":"a","l":[{"model":"y"}]}',
            b'{"t":{"model":"x"},"model":"new","l":[{"model":"y"}]}',
            id="nested-keys-stay",
        ),
        pytest.param(
            b'{"p":{"model":{"type":"string"}},"model":"a"}',
            b'{"p":{"model":{"type":"string"}},"model":"new"}',
            id="a-key-with-another-value-stays",
        ),
        pytest.param(
            b'{"s":"{\\"model\\":\\"x\\"}","model":"a"}',
            b'{"s":"{\\"model\\":\\"x\\"}","model":"new"}',
            id="text-inside-a-string-stays",
        ),
        pytest.param(
            b'{"s\\"model":"x","model":"a"}',
            b'{"s\\"model":"x","model":"new"}',
            id="the-end-of-another-key-stays",
        ),
        pytest.param(
            b'{"model#0":1,"t":{"model":"x"},"model":"a"}',
            b'{"model#0":1,"t":{"model":"x"},"model":"new"}',
            id="a-key-like-our-mark",
        ),
    ],
)
def test_only_the_name_at_the_top_is_changed(text: bytes, expected: bytes) -> None:
    assert renamed(text, "new") == expected


def test_a_name_inside_a_named_object_is_changed() -> None:
    text = b'{"type":"message_start","model":"top","message":{"model":"a","c":{"model":"x"}}}'
    assert renamed(text, "new", inside="message") == text.replace(b'"a"', b'"new"')


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ((), b'{"a":{"model":"x"},"model":"new","b":1}'),
        (((0, 5), (18, 38)), b'{"a":{"model":"x"},"model":"new","b":1}'),
        (((18, 38),), b'{"a":{"model":"x"},"model":"new","b":1}'),
        (((0, 5), (31, 38)), None),
    ],
)
def test_the_name_is_looked_for_where_it_may_be(places: Places, expected: bytes | None) -> None:
    text = b'{"a":{"model":"x"},"model":"old","b":1}'
    assert renamed(text, "new", places=places) == expected


def test_a_key_that_is_spelt_otherwise_is_found_in_its_place() -> None:
    text = b'{"a":["long"],"m\\u006fdel":"old"}'
    assert renamed(text, "new", places=((0, 5), (13, len(text)))) == b'{"a":["long"],"model":"new"}'


@pytest.mark.parametrize("text", [b"{}", b'{"model":1}', b'{"t":{"model":"a"},"u":{"model":"b"}}'])
def test_without_a_name_there_is_nothing_to_return(text: bytes) -> None:
    assert renamed(text, "new") is None


def test_a_name_of_any_characters_is_written_as_json() -> None:
    assert renamed(b'{"model":"a"}', 'q"é\\') == '{"model":"q\\"é\\\\"}'.encode()


@pytest.mark.parametrize(
    "text",
    [
        b'{ "candidates" : [1e2],\n"modelVersion" : "old" }',
        b'{"model\\u0056ersion":"old"}',
        b'[{"modelVersion":"old","args":{"modelVersion":"other"}},{"modelVersion":"old"}]',
    ],
    ids=["white-space", "escapes-in-the-key", "a-list"],
)
def test_googles_name_is_changed_in_place(text: bytes) -> None:
    expected = text.replace(b'"old"', b'"new"').replace(b"\\u0056", b"V")
    assert renamed(text, "new", key=MODEL_VERSION) == expected


_KEYS = st.sampled_from(["model", "messages", "m", 'x"model', "model#0"])
_VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["model", '"model":"x"', "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.dictionaries(_KEYS, _VALUES, max_size=4), st.booleans())
def test_whatever_else_a_body_holds_stays(value: dict[str, object], is_ascii: bool) -> None:
    value["model"] = "old"
    text = json.dumps(value, ensure_ascii=is_ascii).encode()
    changed = renamed(text, "new")
    assert changed is not None
    assert jsontext.loads(changed) == {**value, "model": "new"}
