"""JSON in and out: exact, bounded, and never with another error than our own."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.jsontext import (
    COMMAS_LIMIT,
    DEPTH_LIMIT,
    MENDED_LIMIT,
    JsonError,
    RawItems,
    RawJson,
    dumps,
    dumps_text,
    dumps_to_keep,
    is_utf_8,
    loads,
    loads_text,
    object_text,
    split_text,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
PIECES = [
    b",",
    b"0",
    b"9" * 19,
    b"e5",
    b"-",
    b" ",
    b"\\",
    b'"',
    b"[",
    b"]}",
    b"null",
    b"\xff",
    b"\xe2\x80\xa8",
]
"""What makes another value of JSON, or none, where it is put in."""


@settings(max_examples=200)
@given(value=JSON)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(b"[12345678901234567890123]", [12345678901234567890123], id="edge-131-long-integer"),
        pytest.param(
            b"[9007199254740993, 18446744073709551615]", [9007199254740993, 18446744073709551615], id="64-bits"
        ),
        pytest.param(b'{"a":1,"a":2}', {"a": 2}, id="last-key-wins"),
        pytest.param(b'["\\ud83d\\ude00"]', ["😀"], id="pair"),
        pytest.param(b'["\\ud83d x \\ude00"]', ["\ufffd x \ufffd"], id="lone-surrogates"),
        pytest.param(b'{"\\udc00": "\\ud800"}', {"\ufffd": "\ufffd"}, id="lone-surrogate-as-key"),
        pytest.param(b'["1234567890123456789012"]', ["1234567890123456789012"], id="digits-in-a-string"),
        pytest.param(b"[-9223372036854775808]", [-(2**63)], id="least-of-64-bits"),
        pytest.param(b"[-9223372036854775809]", [-(2**63) - 1], id="one-less-than-64-bits"),
        pytest.param(b"[18446744073709551616]", [2**64], id="one-more-than-64-bits"),
        pytest.param(b"[0.1234567890123456789]", [0.1234567890123456789], id="long-fraction"),
        pytest.param(b" 1 ", 1, id="white-space"),
    ],
)
def test_values_are_read_exactly(text: bytes, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(b"", "zero-length", id="empty"),
        pytest.param(b'{"a":\n 1,}', "line 2, column", id="comma"),
        pytest.param(b"[NaN]", "line 1, column 2", id="nan"),
        pytest.param(b'["\\ud800", NaN]', "NaN is not a JSON value", id="nan-on-the-slow-way"),
        pytest.param(b"[1e999]", "infinity", id="infinity"),
        pytest.param(b'["\\ud800", 1e999]', "the number 1e999 is too large", id="infinity-on-the-slow-way"),
        pytest.param(b'["\xff"]', "not UTF-8", id="utf-8"),
        pytest.param(b'["\\ud800", \xff]', "not UTF-8", id="utf-8-on-the-slow-way"),
        pytest.param(b'["\\ud800", ' + b"1" * 500 + b"]", "500 digits", id="long-number"),
        pytest.param(b"[" + b"1" * 350 + b"]", "infinity", id="number-of-350-digits"),
        pytest.param(b"[" * (DEPTH_LIMIT + 1) + b"]" * (DEPTH_LIMIT + 1), "nested more than 254", id="deep"),
        pytest.param(b"[" * 100_000, "nested more than 254", id="very-deep"),
        pytest.param(
            b'{"a":' * 300 + b'"\\ud800"' + b"}" * 300, "nested more than 254", id="deep-on-the-slow-way"
        ),
        pytest.param(
            b'{"a":' * 900 + b'"\\ud800"' + b"}" * 900, "nested more than 254", id="deeper-on-the-slow-way"
        ),
        pytest.param(b"[" + b"," * (COMMAS_LIMIT + 1) + b"]", "more than 1,000,000 commas", id="wide"),
        pytest.param(b"[" + b",".join([b"[" * 250] * 4001), "more than 1,000,000 brackets", id="brackets"),
        pytest.param(
            b'["\\ud800"' + b",1" * MENDED_LIMIT + b"]", "more than 250,000 commas", id="wide-to-mend"
        ),
    ],
)
def test_what_is_refused_is_refused_with_words(text: bytes, words: str) -> None:
    with pytest.raises(JsonError, match=words):
        loads(text)


def test_the_deepest_value_that_is_read_can_be_written() -> None:
    for text in (b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT, b'{"a":' * DEPTH_LIMIT + b"1" + b"}" * DEPTH_LIMIT):
        assert dumps(loads(text)) == text
        wrapped = {"messages": [{"content": loads(text)}]}
        assert json.loads(dumps(wrapped)) == wrapped


@settings(max_examples=200)
@given(
    data=st.binary(max_size=30) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_bytes_of_every_kind_raise_only_our_own_error(data: bytes) -> None:
    try:
        loads(data)
    except JsonError as error:
        assert str(error)


@settings(deadline=None, max_examples=300)
@given(value=JSON, place=st.integers(0, 200), piece=st.sampled_from(PIECES))
def test_what_is_nearly_json_is_read_as_the_standard_library_reads_it_or_refused(
    value: Any, place: int, piece: bytes
) -> None:
    whole = dumps([value])
    place = min(place, len(whole))
    data = whole[:place] + piece + whole[place:]
    try:
        read = loads(data)
    except JsonError:
        return
    assert repr(read) == repr(json.loads(data))


def test_text_with_lone_surrogates_is_read() -> None:
    assert loads_text('["\ud800"]') == ["?"]


def test_lone_surrogates_and_long_integers_can_be_written() -> None:
    assert dumps(["\ud800é", 2**70]) == '["?é",1180591620717411303424]'.encode()


@given(text=st.text(st.characters(codec=None) | st.just("\ud800")))
def test_a_text_is_written_as_every_value_is(text: str) -> None:
    assert dumps_text(text) == dumps(text)


@given(st.lists(st.text(st.characters() | st.sampled_from('\0,"\\u0')), min_size=1))
def test_the_pieces_of_a_text_are_written_as_every_value_is(pieces: list[str]) -> None:
    assert split_text("".join(pieces), tuple(pieces), b"|") == b"|".join(map(dumps, pieces))


def test_the_escape_between_pieces_is_not_mixed_up_with_what_they_say() -> None:
    for pieces in (("a\0", "b"), ("\\u0000", "b"), ("\\", "u0000"), ("\ud800", "b")):
        assert split_text("".join(pieces), pieces, b"|") == b"|".join(map(dumps, pieces))


def test_text_of_whatever_kind_is_utf_8_or_not() -> None:
    assert [is_utf_8(data) for data in (b"", b"a", b"\xc3\xa9", b"\xff", b"a\xc3")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_raw_items_are_so_many_items_of_their_list() -> None:
    items = RawItems(b'{"a":1.0},"b"')
    deep: object = 0
    for _ in range(DEPTH_LIMIT):
        deep = [deep]
    assert dumps({"list": [0, items, 2], "n": 1}) == b'{"list":[0,{"a":1.0},"b",2],"n":1}'
    written = dumps({"list": [0, items, 2], "deep": deep})
    assert written.startswith(b'{"list":[0,{"a":1.0},"b",2],"deep":[[')


def test_raw_json_is_written_as_it_is() -> None:
    raw = RawJson('{"a": 1.0, "a":2}')
    assert dumps({"x": raw}) == b'{"x":{"a": 1.0, "a":2}}'
    assert json.loads(dumps({"x": raw, "y": 2**70})) == {"x": {"a": 2}, "y": 2**70}


@pytest.mark.parametrize("value", [object(), {"a": object()}, [2**70, object()]])
def test_what_is_not_json_is_a_mistake_of_the_caller(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "{}", id="edge-12-empty"),
        pytest.param(" null\n", "{}", id="edge-12-null"),
        pytest.param('"null"', "{}", id="edge-12-text"),
        pytest.param('""', "{}", id="edge-12-quotes"),
        pytest.param('{"a": 1.0}', '{"a": 1.0}', id="object"),
        pytest.param('"{\\"a\\": 1}"', '{"a": 1}', id="edge-25-coded-twice"),
        pytest.param("[1]", '{"_raw":"[1]"}', id="edge-25-array"),
        pytest.param('{"a": ', '{"_raw":"{\\"a\\": "}', id="edge-25-half"),
        pytest.param("0", '{"_raw":"0"}', id="number"),
        pytest.param("\ud800", '{"_raw":"?"}', id="lone-surrogate"),
    ],
)
def test_arguments_become_the_text_of_an_object(text: str, expected: str) -> None:
    assert object_text(text) == expected


def test_what_is_written_to_be_kept_takes_its_own_size() -> None:
    value = [{"thinking": "a" * 3000}]
    tracemalloc.start()
    kept = [dumps_to_keep(value) for _ in range(100)]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept == [dumps(value)] * 100
    assert taken < 110 * len(kept[0])
