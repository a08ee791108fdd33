"""What providers refused, and how requests for them are written since: remembered per provider and model.

It belongs to one configuration: a reload begins anew, as the new one may have mended it. What one worker has found
out it tells the others (`ucr.messages.RemedyFound`). A remedy is forgotten after a day, so that what a provider has
learned to take is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from msgspec.structs import replace

from ucr import jsontext
from ucr.dialects.anthropic.betas import HEADER
from ucr.dialects.roles import HeaderList, Outgoing
from ucr.errors import UpstreamError
from ucr.jsontext import JsonError
from ucr.remedies import Part, Remedy, applied
from ucr.remedy_rules import remedies_for

KEPT_S = 86_400.0
LIMIT_BYTES = 256 * 1024
REMEDIES_LIMIT = 16
"""How many remedies one model may need; whoever refuses more is not healed of the rest."""

_ENTRY_BYTES = 256
_HEALED_STATUSES = (400, 422)
NOTE = " (refused before)"


@dataclass(frozen=True, slots=True)
class Learned:
    """A remedy and when it is forgotten."""

    remedy: Remedy
    until: float


class Healing:
    """Remedies that helped. Of many models the latest are kept, by their bytes; `known` holds them."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self.known: dict[tuple[str, str], tuple[Learned, ...]] = {}
        self.bytes = 0

    def __repr__(self) -> str:
        return f"Healing({len(self.known)} models, {self.bytes} bytes)"

    def of(self, provider: str, model: str, now_s: float) -> tuple[Remedy, ...]:
        """Return what requests for a model need."""
        known = self.known.get((provider, model), ())
        return tuple(one.remedy for one in known if one.until > now_s)

    def learn(self, provider: str, model: str, remedy: Remedy, now_s: float) -> bool:
        """Remember what helped; return whether it was unknown until now."""
        if not remedy.is_kept:
            return False
        is_new = remedy not in self.of(provider, model, now_s)
        known = [one for one in self._forget(provider, model) if one.until > now_s and one.remedy != remedy]
        known = [*known, Learned(remedy, now_s + KEPT_S)][-REMEDIES_LIMIT:]
        self.known[provider, model] = tuple(known)
        self.bytes += _size(provider, model, known)
        while self.bytes > self._limit_bytes:
            self._forget(*next(iter(self.known)))
        return is_new

    def _forget(self, provider: str, model: str) -> Sequence[Learned]:
        known = self.known.pop((provider, model), ())
        self.bytes -= _size(provider, model, known) if known else 0
        return known


def healed(outgoing: Outgoing, remedies: Sequence[Remedy], note: str = NOTE) -> Outgoing:
    """Return a request without what was refused; the same one where it has nothing of it."""
    part = _part(outgoing)
    if part is None:
        return outgoing
    made, notes = applied(remedies, part)
    return outgoing if made is part else _written(outgoing, made, tuple(words + note for words in notes))


def remedy_for(error: UpstreamError, outgoing: Outgoing) -> tuple[Remedy, Outgoing] | None:
    """Return the first remedy that a refusal asks for and that changes the request, and the changed request.

    None for a failure of another kind, and for words that nobody understands.
    """
    if error.fault != "request" or error.upstream_status not in _HEALED_STATUSES:
        return None
    part = _part(outgoing)
    if part is None:
        return None
    for remedy in islice(remedies_for(error.message, *part), REMEDIES_LIMIT):
        made, notes = applied((remedy,), part)
        if made is not part:
            return remedy, _written(outgoing, made, notes)
    return None


def _part(outgoing: Outgoing) -> Part | None:
    try:
        body = jsontext.loads(outgoing.body)
    except JsonError:
        return None
    betas = next((value for name, value in outgoing.headers if name == HEADER), "")
    return (body, betas) if isinstance(body, dict) else None


def _written(outgoing: Outgoing, part: Part, notes: tuple[str, ...]) -> Outgoing:
    body, betas = part
    return replace(
        outgoing,
        body=jsontext.dumps(body),
        headers=_with_betas(outgoing.headers, betas),
        notes=(*outgoing.notes, *notes),
    )


def _with_betas(headers: HeaderList, betas: str) -> HeaderList:
    return tuple(
        (name, betas if name == HEADER else value) for name, value in headers if name != HEADER or betas
    )


def _size(provider: str, model: str, known: Sequence[Learned]) -> int:
    texts = sum(len(str(one.remedy)) + _ENTRY_BYTES for one in known)
    return _ENTRY_BYTES + 4 * (len(provider) + len(model)) + 4 * texts
