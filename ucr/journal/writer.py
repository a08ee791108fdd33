"""Writes entries of the journal: what the log says of a request, and more, without a secret."""

from operator import attrgetter

from ucr.journal.entry import Entry
from ucr.journal.recording import Recording
from ucr.jsontext import dumps, dumps_text, loads
from ucr.line import TEXTS
from ucr.record import Record
from ucr.redaction import Redactor, holds_secret

MAX_WORDS = 500
WORDS_BYTES = 1000
"""How many words on why a request went where it did are known again, and of which length; of more, all are made anew."""

_KEPT_HEADERS = ("anthropic-beta", "anthropic-version", "content-type", "user-agent")
_KEPT_QUERY = ("alt", "beta")
"""What a query says of the answer's form; clients of Gemini's API may bring their key in another field of it."""
_WORDS = attrgetter("words")
_ERROR_STATUS = 400
_LARGE_CHARS = 8192
"""An account is larger than this only by what somebody says at length: whoever reads entries reads many at once."""
_TEXT_CHARS = 1024
"""To so many characters each text of a large account is cut."""


class Writer:
    """Writes entries.

    How this works. Most of an entry is what the log has made of the request's fields already. What is left is mostly
    the same as for a request before: its candidates, and what was changed. For that it keeps the text.
    """

    def __init__(self) -> None:
        self._redactor = Redactor()
        self._words: dict[tuple[tuple[str, ...], tuple[str, ...]], bytes] = {}

    def __repr__(self) -> str:
        return f"<Writer that knows {len(self._words)} words>"

    def entry(
        self,
        record: Record,
        fields: dict[str, object],
        told: bytes,
        redactor: Redactor,
        unix_s: float,
        bodies: Recording | None = None,
    ) -> Entry:
        """Return the entry of a request that ended at a Unix time, with no secret in it.

        `told` is JSON of the fields without the secrets that the log knows; those that `redactor` knows may be others.
        """
        if redactor is not self._redactor:
            self._redactor = redactor
            self._words.clear()
        if not redactor.clears(TEXTS(fields)):
            told = dumps(redactor.tree(fields))
        upstream_id = record.upstream_request_id
        named = b"null" if upstream_id is None else dumps_text(self._clean(upstream_id))
        account = (b'%b,"upstream_request_id":%b,%b' % (told[:-1], named, self._more(record, bodies))).decode()
        return Entry(
            unix_s,
            record.request_id,
            record.provider,
            record.status,
            record.error_type is not None or record.status >= _ERROR_STATUS,
            account if len(account) <= _LARGE_CHARS else _clipped(account),
            None if bodies is None else bodies.request.text(redactor.text),
            None if bodies is None else bodies.answer.text(redactor.text),
        )

    def _clean(self, text: str) -> str:
        return self._redactor.text(text) if self._redactor.suspects(text) else text

    def _more(self, record: Record, bodies: Recording | None) -> bytes:
        """Return what the fields leave out as the end of a JSON object."""
        considered = tuple(map(_WORDS, record.considered))
        if bodies is not None or record.tried:
            return self._written(record, considered, bodies)
        words = self._words.get((record.notes, considered))
        if words is None:
            words = self._written(record, considered, None)
            if len(words) <= WORDS_BYTES:
                if len(self._words) >= MAX_WORDS:
                    self._words.clear()
                self._words[record.notes, considered] = words
        return words

    def _written(self, record: Record, considered: tuple[str, ...], bodies: Recording | None) -> bytes:
        more: dict[str, object] = {
            "notes": record.notes,
            "considered": considered,
            "tried": [str(tried) for tried in record.tried],
        }
        if bodies is not None:
            more |= _of_bodies(bodies)
        text = dumps(more)
        if self._redactor.suspects(text.decode()):
            text = dumps(self._redactor.tree(more))
        return text[1:]


def _clipped(account: str) -> str:
    """Return an account whose texts are not longer than need be; its secrets are out already."""
    return dumps(_short(loads(account.encode()))).decode()


def _short(value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= _TEXT_CHARS else f"{value[:_TEXT_CHARS]}…"
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, list) else value


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
