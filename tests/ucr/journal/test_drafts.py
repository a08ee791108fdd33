"""Drafts of entries take bounded memory, and are written out without a secret."""

import json

from ucr.errors import ApiError
from ucr.journal.drafts import Draft, entry_of
from ucr.record import Record, Tried
from ucr.redaction import MASK, Redactor


def record(**changes: object) -> Record:
    made = Record("req_1", "0", 0.0, lambda: 0.0, provider="up", model_used="m", status=200)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_an_entry_holds_the_fields_and_what_the_log_leaves_out() -> None:
    tried = Tried("a", "m", ApiError("overloaded_error", "later, please"))
    entry = entry_of(Draft(5.0, record(tried=(tried,), notes=("n",)), {"route": "default"}, Redactor()))
    account = json.loads(entry.account)
    assert (entry.at_s, entry.request_id, entry.provider, entry.status) == (5.0, "req_1", "up", 200)
    assert account == {
        "route": "default",
        "upstream_request_id": None,
        "notes": ["n"],
        "considered": [],
        "tried": ["a/m: 529 overloaded_error: later, please"],
    }


def test_an_error_is_one_by_its_status_or_by_its_type() -> None:
    for changes, is_error in (
        ({}, False),
        ({"status": 404}, True),
        ({"error_type": "client_gone"}, True),
    ):
        assert entry_of(Draft(5.0, record(**changes), {}, Redactor())).is_error is is_error


def test_secrets_are_left_out() -> None:
    words = "told sk-ant-0123456789 and swordfish"
    draft = Draft(5.0, record(), {"model_asked": words}, Redactor(["swordfish"]))
    assert json.loads(entry_of(draft).account)["model_asked"] == f"told {MASK} and {MASK}"


def test_words_of_a_provider_are_bounded() -> None:
    tried = Tried("a", "m", ApiError("api_error", "x" * 100_000))
    draft = Draft(5.0, record(tried=(tried,) * 3), {}, Redactor())
    assert entry_of(draft).size_bytes < draft.size_bytes
