"""What one worker has learned, told to the others by way of the parent."""

from typing import cast

import trio

from actors import Fact, RemoteRef
from ucr.messages import ProviderFact, RemedyFound, ToParent
from ucr.remedies import Kind, Remedy


class Spreader:
    """Tells the parent; without one there are no others."""

    def __init__(self, parent: RemoteRef[ToParent] | None) -> None:
        self._parent = parent

    def __repr__(self) -> str:
        return f"<Spreader to {self._parent!r}>"

    def spread_fact(self, provider: str, fact: Fact) -> None:
        """Tell what was found out about a key."""
        if self._parent is not None:
            remaining_s = max(0.0, fact.until - trio.current_time())
            self._parent.offer(ProviderFact(provider, fact.kind, fact.key, remaining_s))

    def spread_remedy(self, provider: str, model: str, remedy: Remedy) -> None:
        """Tell what helped against a refusal."""
        if self._parent is not None:
            self._parent.offer(RemedyFound(provider, model, remedy.kind, remedy.path, remedy.value))


def remedy_of(found: RemedyFound) -> Remedy:
    """Return the remedy that another worker has found, which has the same code."""
    return Remedy(cast(Kind, found.kind), found.path, found.value)
