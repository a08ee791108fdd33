"""Drafts of entries: noted while the request's account is at hand, written out later, when nobody waits for it."""

from msgspec import Struct

from ucr.journal.entry import Entry
from ucr.journal.recording import Recording
from ucr.jsontext import dumps, loads
from ucr.line import TEXTS
from ucr.record import Record
from ucr.redaction import Redactor, holds_secret

_KEPT_HEADERS = ("anthropic-beta", "anthropic-version", "content-type", "user-agent")
_KEPT_QUERY = ("alt", "beta")
"""What a query says of the answer's form; clients of Gemini's API may bring their key in another field of it."""
_BASE_BYTES = 2000
_ERROR_STATUS = 400
_LARGE_CHARS = 8192
"""An account is larger than this only by what somebody says at length: whoever reads entries reads many at once."""
_TEXT_CHARS = 1024
"""To so many characters each text of a large account is cut."""


class Draft(Struct, frozen=True):
    """What is known of a request that has ended: the fields of its line in the log, and what the log made of them.

    `told` is JSON of the fields without the secrets that the log knows; those that `redactor` knows may be others.
    """

    at_s: float
    record: Record
    fields: dict[str, object]
    told: bytes
    redactor: Redactor
    bodies: Recording | None = None

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        size = _BASE_BYTES + len(self.told)
        return size if self.bodies is None else size + len(self.bodies.request) + len(self.bodies.answer)


def entry_of(draft: Draft) -> Entry:
    """Write a draft out, with no secret in it."""
    record, redactor, bodies = draft.record, draft.redactor, draft.bodies
    more: dict[str, object] = {
        "upstream_request_id": record.upstream_request_id,
        "notes": record.notes,
        "considered": [candidate.words for candidate in record.considered],
        "tried": [str(tried) for tried in record.tried] if record.tried else (),
    }
    if bodies is not None:
        more |= _of_bodies(bodies)
    told = draft.told if redactor.clears(TEXTS(draft.fields)) else dumps(redactor.tree(draft.fields))
    text = dumps(more).decode()
    if redactor.suspects(text):
        text = dumps(redactor.tree(more)).decode()
    return Entry(
        draft.at_s,
        record.request_id,
        record.provider,
        record.status,
        record.error_type is not None or record.status >= _ERROR_STATUS,
        _bounded(f"{told.decode()[:-1]},{text[1:]}"),
        None if bodies is None else bodies.request.text(redactor.text),
        None if bodies is None else bodies.answer.text(redactor.text),
    )


def _bounded(account: str) -> str:
    """Return an account whose texts are not longer than need be; its secrets are out already."""
    return account if len(account) <= _LARGE_CHARS else dumps(_clipped(loads(account.encode()))).decode()


def _clipped(value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= _TEXT_CHARS else f"{value[:_TEXT_CHARS]}…"
    if isinstance(value, dict):
        return {name: _clipped(item) for name, item in value.items()}
    return [_clipped(item) for item in value] if isinstance(value, list) else value


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
