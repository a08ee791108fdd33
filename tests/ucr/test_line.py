import json
from typing import Any

from ucr.line import FINISHED, HEAD, plain, rendered
from ucr.redaction import MASK, Redactor


def line_of(**event: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(rendered(event, Redactor(["swordfish"])))
    return value


def test_fields_stand_in_the_order_of_the_contract_and_others_after_them() -> None:
    line = line_of(extra=1, status=200, event="a.b", request_id="r", level="info", timestamp="t")
    assert list(line) == ["timestamp", "level", "event", "request_id", "status", "extra"]


def test_what_has_no_word_in_json_is_written_as_text() -> None:
    given = {"raw": b"\xffa", "names": {"x"}, "map": {1: (None, b"b")}, "object": IndexError("i")}
    assert plain(given) == {"raw": "\ufffda", "names": ["x"], "map": {"1": [None, "b"]}, "object": "i"}


def test_a_secret_is_masked_before_anything_is_cut() -> None:
    line = line_of(event="a.b", long="x" * 1020 + "swordfish" + "y" * 5000, deep={"swordfish": ["swordfish"]})
    assert "sword" not in line["long"]
    assert line["deep"] == {MASK: [MASK]}


def test_too_many_fields_leave_those_of_the_contract() -> None:
    fields = dict.fromkeys((*HEAD, *FINISHED), "x" * 500) | {f"n{number}": number for number in range(1000)}
    line = line_of(**fields)
    assert tuple(line) == (*HEAD, *FINISHED, "cut")
    assert line["agent_id"] == "x" * 16 + "…"
