"""What comes again is found at its place and with its bytes; what is kept of it is tested with tools and prompts."""

import json
from typing import Any

from ucr.dialects.kept import Kept
from ucr.dialects.members import LEAST_BYTES, Members
from ucr.jsontext import JsonObject

ITEMS: list[JsonObject] = [{"text": "x" * LEAST_BYTES}]


def things(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def learnt(raw: bytes) -> tuple[Members[Kept], Kept]:
    members = Members("things", lambda text, _: Kept(text, text))
    assert members.find(raw) is None
    known = members.learn(raw, json.loads(raw))
    assert known is not None
    return members, known


def test_an_array_is_found_where_it_stands_and_its_mark_is_known() -> None:
    raw = things(a=1, things=ITEMS, b=2)
    members, known = learnt(raw)
    place = raw.index(known.text)
    for _ in range(2):
        assert members.find(raw) == (place, known)
    marked = json.loads(raw.replace(known.text, members.mark_text))
    assert members.is_marked(marked)
    assert not members.is_marked(json.loads(raw))
    assert repr(members) == f"<Members things: 1 of {len(known.text)} bytes>"


def test_an_array_is_found_at_its_old_place_or_at_a_new_one() -> None:
    members, known = learnt(things(a="a", things=ITEMS, b="b"))
    for a, b in (("a", "b"), ("aa", "b"), ("a", "bb"), ("aa" * 9, "b" * 9), ("", "")):
        raw = things(a=a, things=ITEMS, b=b)
        for _ in range(2):
            assert members.find(raw) == (raw.index(known.text), known)
    assert members.find(things(a="a" * 9, b="b" * LEAST_BYTES)) is None


def test_an_array_is_not_looked_for_where_something_else_stands_that_is_known() -> None:
    raw = things(a=[{"things": ITEMS}] * 6, things=ITEMS, b=[{"things": ITEMS}] * 6)
    members, known = learnt(raw)
    first, own, last = (raw.index(word) for word in (b"[{", b', "things"', b', "b"'))
    for _ in range(2):
        assert members.find(raw, first, own) == (raw.index(known.text, own), known)
    found = members.find(raw, own, last)
    assert found is not None and not own <= found[0] < last
    assert members.find(raw, first, len(raw)) is None


def test_what_is_no_list_of_objects_is_not_kept() -> None:
    members = Members("things", lambda text, _: Kept(text, text))
    for value in ("x" * LEAST_BYTES, ["x" * LEAST_BYTES], {"a": "x" * LEAST_BYTES}):
        raw = json.dumps({"things": value}).encode()
        assert members.learn(raw, json.loads(raw)) is None
    assert members.learn(b"{" + b" " * LEAST_BYTES, {"things": ITEMS}) is None
