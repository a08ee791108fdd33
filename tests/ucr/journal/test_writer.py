"""Entries take bounded memory, and are written without a secret."""

import json

from tests.world.router import provider
from ucr.errors import ApiError
from ucr.journal.entry import Entry
from ucr.journal.writer import MAX_WORDS, WORDS_BYTES, Writer
from ucr.jsontext import dumps
from ucr.record import Record, Tried
from ucr.redaction import MASK, Redactor
from ucr.routing import Candidate


def record(**changes: object) -> Record:
    made = Record("req_1", "0", 0.0, lambda: 0.0, provider="up", model_used="m", status=200)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def written(redactor: Redactor | None = None, writer: Writer | None = None, **changes: object) -> Entry:
    made = record(**changes)
    fields = made.fields((1.0, 0.5, None))
    return (writer or Writer()).entry(made, fields, dumps(fields), redactor or Redactor(), 5.0)


def test_an_entry_holds_the_fields_and_what_the_log_leaves_out() -> None:
    tried = Tried("a", "m", ApiError("overloaded_error", "later, please"))
    chosen = (Candidate(provider("a", "anthropic"), "m", "default"),)
    changes: dict[str, object] = {"tried": (tried,), "notes": ("n",), "considered": chosen}
    entry = written(**changes)
    assert (entry.at_s, entry.request_id, entry.provider, entry.status) == (5.0, "req_1", "up", 200)
    assert json.loads(entry.account) == {
        **record(**changes).fields((1.0, 0.5, None)),
        "upstream_request_id": None,
        "notes": ["n"],
        "considered": ["a/m (default, optimal)"],
        "tried": ["a/m: 529 overloaded_error: later, please"],
    }


def test_an_error_is_one_by_its_status_or_by_its_type() -> None:
    for changes, is_error in (
        ({}, False),
        ({"status": 404}, True),
        ({"error_type": "client_gone"}, True),
    ):
        assert written(**changes).is_error is is_error


def test_secrets_are_left_out_also_those_that_the_log_does_not_know() -> None:
    words = "told sk-ant-0123456789 and swordfish"
    entry = written(Redactor(["swordfish"]), model_asked=words, upstream_request_id=words)
    account = json.loads(entry.account)
    assert account["model_asked"] == account["upstream_request_id"] == f"told {MASK} and {MASK}"


def test_words_of_a_provider_are_bounded() -> None:
    tried = Tried("a", "m", ApiError("api_error", "x" * 100_000))
    assert written(tried=(tried,) * 3).size_bytes < 3_000


def test_an_entry_is_bounded_whatever_was_said_and_whoever_said_it() -> None:
    long = "x" * 1_000_000
    entry = written(session_id=long, model_used=long, notes=(long,), upstream_request_id=long)
    account = json.loads(entry.account)
    assert entry.size_bytes < 10_000
    assert account["session_id"] == account["notes"][0] == f"{long[:1024]}…"
    assert account["status"] == 200


def test_a_secret_at_the_place_of_the_cut_is_left_out_whole() -> None:
    words = "y" * 1_020 + "swordfish" + "z" * 100_000
    entry = written(Redactor(["swordfish"]), session_id=words)
    assert "sword" not in entry.account


def test_words_that_come_again_are_those_of_before_and_others_are_not() -> None:
    writer, redactor = Writer(), Redactor()
    chosen = (Candidate(provider("a", "anthropic"), "m", "default"),)
    every: tuple[dict[str, object], ...] = (
        {},
        {"notes": ("n",)},
        {"considered": chosen},
        {"notes": ("n",), "considered": chosen},
        {"considered": chosen * 2},
    )
    first = [written(redactor, writer, **changes) for changes in every]
    assert [written(redactor, writer, **changes) for changes in every] == first
    assert [written(**changes) for changes in every] == first
    assert repr(writer) == f"<Writer that knows {len(every)} words>"


def test_words_are_made_anew_where_other_secrets_are_known() -> None:
    writer = Writer()
    entries = [written(Redactor(known), writer, notes=("swordfish",)) for known in ((), ("swordfish",), ())]
    notes = [json.loads(entry.account)["notes"] for entry in entries]
    assert notes == [["swordfish"], [MASK], ["swordfish"]]


def test_words_that_are_remembered_take_bounded_memory() -> None:
    writer, redactor = Writer(), Redactor()
    for number in range(MAX_WORDS + 7):
        written(redactor, writer, notes=(f"n{number}",))
    assert repr(writer) == "<Writer that knows 7 words>"
    written(redactor, writer, notes=("x" * WORDS_BYTES,))
    assert repr(writer) == "<Writer that knows 7 words>"
