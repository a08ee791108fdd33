"""Pieces of text and reasoning: taken within the frame of their stream, and read like any other chunk."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.chat_streams import USAGE, call, chunk
from ucr.dialects.openai_chat.pieces import LONGEST_BYTES, TRIES, PieceReader, piece_of
from ucr.dialects.openai_chat.plain import Kind, PlainChunk, plain_chunk
from ucr.events import TextDelta, ThinkingDelta
from ucr.sse import EVENT_LIMIT_BYTES


def written(value: object) -> bytes:
    return json.dumps(value).encode()


def read(*lines: bytes, kind: Kind = TextDelta, at: int = 0) -> tuple[list[str], PlainChunk | None]:
    return PieceReader(kind).read(list(lines), at)


FIRST, LAST = written(chunk(content="x", reasoning="")), written(chunk(content="z"))


def test_pieces_are_taken_as_far_as_chunks_say_nothing_else() -> None:
    assert read(LAST, FIRST, LAST, b"[DONE]", at=1) == (["x", "z"], None)
    assert read(written(chunk(reasoning_content="x", content=None)), kind=ThinkingDelta) == (["x"], None)
    assert read(FIRST, kind=ThinkingDelta) == ([], plain_chunk(FIRST))


@pytest.mark.parametrize(
    "other",
    [
        chunk(content=""),
        chunk("stop", content="x"),
        chunk(content="x", reasoning="y"),
        chunk(content="x", tool_calls=[call(0, "call_1", "f")]),
        {**chunk(content="x"), **USAGE},
        {**chunk(content="x"), "usage": {"prompt_tokens": 1}},
    ],
)
def test_what_says_something_else_ends_the_pieces(other: object) -> None:
    for first in (FIRST, LAST):
        assert read(first, written(other), LAST) == (
            [json.loads(first)["choices"][0]["delta"]["content"]],
            plain_chunk(written(other)),
        )


@pytest.mark.parametrize("field", ["content", "reasoning", "reasoning_content"])
def test_chunks_within_the_frame_are_read_by_their_string_alone(field: str) -> None:
    kind = TextDelta if field == "content" else ThinkingDelta
    pieces = ['"', "\\", "é\u2028", "\x00", "a" * 5000, '","role":"x', "}]}"]
    lines = [written(chunk(**{field: piece})) for piece in ["first", *pieces]]
    reader = PieceReader(kind)
    assert reader.read(lines, 0) == (["first", *pieces], None)
    assert f'"{field}": "\' and' in repr(reader)


@pytest.mark.parametrize(
    "middle",
    [
        b'"a","role":"b"',
        b'"a"}, "x": {"y": "b"',
        b"null",
        b"1",
        b'""',
        b"",
        b'"\\ud800"',
        b'"a" "b"',
        b'["a"]',
        b'"a',
    ],
)
def test_what_is_no_single_string_within_the_frame_is_read_as_a_whole(middle: bytes) -> None:
    before, after = written(chunk(content="|")).split(b'"|"')
    line = before + middle + after
    whole = plain_chunk(line)
    expected = None if whole is None else piece_of(whole, TextDelta)
    pieces, left = read(FIRST, LAST, line)
    assert pieces == ["x", "z", *([] if expected is None else [expected])]
    assert left == (whole if expected is None else None)


@pytest.mark.parametrize(
    "middles",
    [
        (b"b", b"x\\", b',"y'),
        (b'a","b', b"x\\", b","),
        (b'a",', b',"b'),
        (b'a"', b'"b'),
        (b"\\\\", b'\\",', b"\\n", b","),
        (b"a", b"\\ud800", b"b"),
        (b"a", b"\x01", b"b"),
        (b"\\ud83d", b"\\ude00"),
        (b"a", b"", b"b"),
    ],
)
def test_pieces_that_are_read_at_once_are_what_they_are_one_by_one(middles: tuple[bytes, ...]) -> None:
    before, after = LAST.split(b'"z"')
    lines = [b'%b"%b"%b' % (before, middle, after) for middle in middles]
    alone: list[str] = []
    for line in lines:
        chunk = plain_chunk(line)
        piece = None if chunk is None else piece_of(chunk, TextDelta)
        if piece is None:
            break
        alone.append(piece)
    assert read(LAST, *lines)[0] == ["z", *alone]


def test_a_stream_in_whose_frame_stood_something_else_is_read_without_it() -> None:
    reader = PieceReader(TextDelta)
    for _ in range(TRIES):
        assert reader.read([LAST, LAST], 0) == (["z", "z"], None)
        assert reader.read([LAST.replace(b"z", b"\\ud800")], 0)[0] == []
    assert reader.read([LAST, LAST], 0) == (["z", "z"], None)
    assert "between b'' and" in repr(reader)


def test_a_block_that_comes_alone_is_read_within_the_frame() -> None:
    reader, block = PieceReader(TextDelta), b"data: %b\n\n" % LAST
    assert reader.stretch(3) is None
    assert reader.read([LAST], 0) == (["z"], None)
    stretch = reader.stretch(3)
    assert stretch is not None
    assert (stretch.kind, stretch.index) == (TextDelta, 3)
    assert [stretch.piece(block.replace(b"z", piece)) for piece in (b"z", b"\\u00e9\\n", b"{")] == [
        "z",
        "é\n",
        "{",
    ]
    assert stretch.chars == 4
    for other in (
        block * 2,
        block[1:],
        block[:-1],
        block.replace(b"z", b""),
        block.replace(b'"z"', b'"'),
        block.replace(b"z", b"\\ud800"),
        block.replace(b"z", b'a","b'),
        block.replace(b"z", b"\n"),
        block.replace(b"z", b"\r"),
        block.replace(b"z", b"\xff"),
        block.replace(b"z", b"z" * EVENT_LIMIT_BYTES),
        b"data: %b\n\n" % FIRST,
    ):
        assert stretch.piece(other) == ""
    assert stretch.chars == 4
    assert "TextDelta between" in repr(stretch)


def test_a_line_that_is_shorter_than_its_frame_is_not_within_it() -> None:
    line = written(chunk(content="x"))
    assert read(line, line.replace(b'"x"', b"")) == (["x"], None)
    assert read(b'{"choices":[{"delta":{"content":"{}"}}]}', b'{"choices":[{"delta":{"content":}}]}') == (
        ["{}"],
        None,
    )


@pytest.mark.parametrize(
    "line",
    [
        b'{"choices":[{"delta":{"content":"a","content":"b"}}]}',
        b'{"a":{"content":"x"},"choices":[{"delta":{"content":"b"}}]}',
        b'{"a":"\\"content\\":\\"x\\"","choices":[{"delta":{"content":"b"}}]}',
    ],
)
def test_another_string_than_the_piece_makes_no_frame(line: bytes) -> None:
    reader = PieceReader(TextDelta)
    assert reader.read([line], 0) == (["b"], None)
    assert reader.read([line.replace(b'"b"', b'"c"').replace(b'"x"', b'"y"')], 0) == (["c"], None)


def test_a_frame_is_looked_for_a_few_times_and_not_in_a_long_chunk() -> None:
    changing = [written({**chunk(content="x"), "obfuscation": "o" * size}) for size in range(1, TRIES + 4)]
    reader = PieceReader(TextDelta)
    assert reader.read(changing, 0) == (["x"] * len(changing), None)
    assert "o" * TRIES + '"' in repr(reader)
    assert "o" * (TRIES + 1) not in repr(reader)
    long = PieceReader(TextDelta)
    assert long.read([written({**chunk(content="x"), "obfuscation": "o" * LONGEST_BYTES})], 0) == (["x"], None)
    assert len(repr(long)) < 100


@given(
    texts=st.lists(st.text(), max_size=5),
    is_ascii=st.booleans(),
    kind=st.sampled_from([TextDelta, ThinkingDelta]),
)
def test_the_frame_changes_nothing(texts: list[str], is_ascii: bool, kind: Kind) -> None:
    field = "content" if kind is TextDelta else "reasoning_content"
    lines = [
        json.dumps(chunk(**{field: text}), ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
        for text in texts
    ]
    one = PieceReader(kind)
    pieces, left = one.read(lines, 0)
    alone: list[str] = []
    for line in lines:
        found, rest = read(line, kind=kind)
        alone += found
        if not found:
            assert left == rest
            break
    assert pieces == alone
