"""Drafts of entries take bounded memory, and are written out without a secret."""

import json

from tests.world.router import provider
from ucr.errors import ApiError
from ucr.journal.drafts import Draft, entry_of
from ucr.jsontext import dumps
from ucr.record import Record, Tried
from ucr.redaction import MASK, Redactor
from ucr.routing import Candidate


def record(**changes: object) -> Record:
    made = Record("req_1", "0", 0.0, lambda: 0.0, provider="up", model_used="m", status=200)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def drafted(redactor: Redactor | None = None, **changes: object) -> Draft:
    made = record(**changes)
    fields = made.fields((1.0, 0.5, None))
    return Draft(5.0, made, fields, dumps(fields), redactor or Redactor())


def test_an_entry_holds_the_fields_and_what_the_log_leaves_out() -> None:
    tried = Tried("a", "m", ApiError("overloaded_error", "later, please"))
    draft = drafted(
        tried=(tried,), notes=("n",), considered=(Candidate(provider("a", "anthropic"), "m", "default"),)
    )
    entry = entry_of(draft)
    assert (entry.at_s, entry.request_id, entry.provider, entry.status) == (5.0, "req_1", "up", 200)
    assert json.loads(entry.account) == {
        **draft.fields,
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
        assert entry_of(drafted(**changes)).is_error is is_error


def test_secrets_are_left_out_also_those_that_the_log_does_not_know() -> None:
    words = "told sk-ant-0123456789 and swordfish"
    entry = entry_of(drafted(Redactor(["swordfish"]), model_asked=words, upstream_request_id=words))
    account = json.loads(entry.account)
    assert account["model_asked"] == account["upstream_request_id"] == f"told {MASK} and {MASK}"


def test_words_of_a_provider_are_bounded() -> None:
    tried = Tried("a", "m", ApiError("api_error", "x" * 100_000))
    draft = drafted(tried=(tried,) * 3)
    assert entry_of(draft).size_bytes < draft.size_bytes


def test_what_a_client_says_counts_as_it_is_long() -> None:
    assert drafted(model_asked="m" * 50_000).size_bytes > drafted().size_bytes + 49_000


def test_an_entry_is_bounded_whatever_was_said_and_whoever_said_it() -> None:
    long = "x" * 1_000_000
    entry = entry_of(drafted(session_id=long, model_used=long, notes=(long,), upstream_request_id=long))
    account = json.loads(entry.account)
    assert entry.size_bytes < 10_000
    assert account["session_id"] == account["notes"][0] == f"{long[:1024]}…"
    assert account["status"] == 200


def test_a_secret_at_the_place_of_the_cut_is_left_out_whole() -> None:
    words = "y" * 1_020 + "swordfish" + "z" * 100_000
    entry = entry_of(drafted(Redactor(["swordfish"]), session_id=words))
    assert "sword" not in entry.account
