"""What comes again is found at its place and with its bytes; what is kept of it is tested with tools and prompts."""

import json

from ucr.dialects.kept import Kept
from ucr.dialects.members import LEAST_BYTES, Members
from ucr.jsontext import JsonObject

ITEMS: list[JsonObject] = [{"text": "x" * LEAST_BYTES}]


def test_an_array_is_taken_out_where_it_stands_and_its_mark_is_known() -> None:
    members = Members("things", lambda text, _: Kept(text, text))
    raw = json.dumps({"a": 1, "things": ITEMS, "b": 2}).encode()
    assert members.taken_out(raw) is None
    learnt = members.learn(raw, json.loads(raw))
    found = members.taken_out(raw)
    assert found is not None and found[1] is learnt
    rest, known, start = found
    assert raw[start:].startswith(known.text)
    assert members.is_marked(json.loads(rest))
    assert not members.is_marked(json.loads(raw))
    assert rest == raw.replace(known.text, members.mark_text)
    assert repr(members) == f"<Members things: 1 of {len(known.text)} bytes>"


def test_what_is_no_list_of_objects_is_not_kept() -> None:
    members = Members("things", lambda text, _: Kept(text, text))
    for value in ("x" * LEAST_BYTES, ["x" * LEAST_BYTES], {"a": "x" * LEAST_BYTES}):
        raw = json.dumps({"things": value}).encode()
        assert members.learn(raw, json.loads(raw)) is None
    assert members.learn(b"{" + b" " * LEAST_BYTES, {"things": ITEMS}) is None
