"""What was made of something that comes again with many requests, kept for those whom it was made for."""

TARGETS = 2
"""For so many providers, or models, it is kept what was made."""


class Kept:
    """Base of what comes again; what is made of it is kept with it, and may not be changed by anybody."""

    __slots__ = ("_made",)

    def __init__(self, made: tuple[tuple[object, object], ...] = ()) -> None:
        self._made = made

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
