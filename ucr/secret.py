"""Secrets that never print."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that no `repr`, `str`, format or traceback shows; `reveal()` is the only way to it."""

    _value: str

    def reveal(self) -> str:
        """Return the secret itself: for an outgoing header or a digest, and for nothing else."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret('***')" if self._value else "Secret('')"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)
