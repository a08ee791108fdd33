"""Requests of the journal that are to be sent again."""

import json
from typing import Any

import pytest

from ucr.journal.entry import Entry
from ucr.journal.reading import Found
from ucr.journal.replaying import Unrepeatable, again

HEADERS = {"anthropic-beta": "b-1"}


def found(
    request: str | None, path: str = "/v1/messages", query: str = "", cut: list[str] | None = None
) -> Found:
    account: dict[str, Any] = {"path": path, "query": query, "headers": HEADERS, "cut": cut or []}
    return Found(1, Entry(1.0, "req_1", "a", 200, False, json.dumps(account), request, ""))


def test_the_body_asks_for_the_other_model_and_is_otherwise_the_same() -> None:
    request = again(found('{"model": "m", "max_tokens": 5}', query="beta=true"), "b/gpt-5")
    assert request.path == "/v1/messages?beta=true"
    assert json.loads(request.body) == {"model": "b/gpt-5", "max_tokens": 5}
    assert request.headers == {**HEADERS, "content-type": "application/json", "cache-control": "no-store"}


def test_a_client_of_geminis_names_the_model_in_the_path() -> None:
    request = again(found('{"contents": []}', "/v1beta/models/m:streamGenerateContent", "alt=sse"), "b/g")
    assert request.path == "/v1beta/models/b/g:streamGenerateContent?alt=sse"
    assert json.loads(request.body) == {"contents": []}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (found(None), "journal.bodies"),
        (found('{"model"', cut=["request"]), "journal.body_bytes"),
        (found("no json"), "no JSON object"),
    ],
)
def test_what_was_not_kept_cannot_be_sent_again(entry: Found, words: str) -> None:
    with pytest.raises(Unrepeatable, match=words):
        again(entry, "b/m")
