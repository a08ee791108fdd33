"""Drafts of entries: noted while the request's account is at hand, written out later, when nobody waits for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ucr.journal.entry import Entry
from ucr.journal.recording import Recording
from ucr.jsontext import dumps
from ucr.record import Record
from ucr.redaction import Redactor, holds_secret

_KEPT_HEADERS = ("anthropic-beta", "anthropic-version", "content-type", "user-agent")
_KEPT_QUERY = ("alt", "beta")
"""What a query says of the answer's form; clients of Gemini's API may bring their key in another field of it."""
_BASE_BYTES = 2000
_ERROR_STATUS = 400


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a request that has ended; `fields` are those of its line in the log."""

    at_s: float
    record: Record
    fields: Mapping[str, object]
    redactor: Redactor
    bodies: Recording | None = None

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        if self.bodies is None:
            return _BASE_BYTES
        return _BASE_BYTES + len(self.bodies.request) + len(self.bodies.answer)


def entry_of(draft: Draft) -> Entry:
    """Write a draft out, with no secret in it."""
    record, redactor, bodies = draft.record, draft.redactor, draft.bodies
    account: dict[str, object] = {
        **draft.fields,
        "upstream_request_id": record.upstream_request_id,
        "notes": record.notes,
        "considered": [str(candidate) for candidate in record.considered],
        "tried": [str(tried) for tried in record.tried],
    }
    if bodies is not None:
        account |= _of_bodies(bodies)
    text = dumps(account).decode()
    if redactor.suspects(text):
        text = dumps(redactor.tree(account)).decode()
    return Entry(
        draft.at_s,
        record.request_id,
        record.provider,
        record.status,
        record.error_type is not None or record.status >= _ERROR_STATUS,
        text,
        None if bodies is None else bodies.request.text(redactor.text),
        None if bodies is None else bodies.answer.text(redactor.text),
    )


def _of_bodies(bodies: Recording) -> dict[str, object]:
    kept = {
        name: bodies.headers[name]
        for name in _KEPT_HEADERS
        if name in bodies.headers and not holds_secret(name)
    }
    both = (("request", bodies.request), ("answer", bodies.answer))
    cut = [name for name, body in both if body.is_cut]
    query = "&".join([part for part in bodies.query.split("&") if part.partition("=")[0] in _KEPT_QUERY])
    return {"path": bodies.path, "query": query, "headers": kept, "cut": cut}
