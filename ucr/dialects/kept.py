"""Text that comes again with many requests, with what was made of it for those whom that was made for."""

from ucr.dialects.model_name import MODEL, may_hold
from ucr.estimate import quick_estimate

TARGETS = 2
"""For so many providers, or models, it is kept what was made."""


class Kept:
    """Base of what comes again; what was read or made of it is kept with it, and may not be changed by anybody.

    `tokens` is about how many tokens it is. `names_model` is True when it may have a name under the key `model`:
    then it must be looked at when that of the request is to be changed. `place` is where it stood in the body that had
    it last: how far its start was from that of the body, and from the end.
    """

    __slots__ = ("_made", "names_model", "place", "text", "tokens")

    def __init__(self, text: bytes, added: bytes, before: "Kept | None" = None) -> None:
        """Keep a text that ends with what was `added` to one that was kept `before`, or to none."""
        self.text = text
        self.place = (0, 0)
        self.tokens: int = quick_estimate(added) + (0 if before is None else before.tokens)
        self.names_model: bool = may_hold(added, MODEL) or (before is not None and before.names_model)
        self._made: tuple[tuple[object, object], ...] = () if before is None else before._made

    def made(self, target: object) -> object | None:
        """Return what was made for a target: for this very object, since a plan keeps its own."""
        for known, made in self._made:
            if known is target:
                return made
        return None

    def keep(self, target: object, made: object) -> None:
        """Keep what was made for a target, and forget what was made for the one before the last."""
        others = [pair for pair in self._made if pair[0] is not target]
        self._made = (*others, (target, made))[-TARGETS:]
