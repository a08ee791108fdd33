"""`dataclass`, which makes frozen, slotted classes like the standard library's, in about half of the time.

How this works. There are three hundred such classes, and making them was 40 % of what a worker takes to load: the standard
library writes six functions as text for each frozen class, and compiles them. Here it writes three; how an object is
compared, hashed and shown closes over the names of the fields instead. Type checkers see the standard library's own
decorator, and whatever is not frozen and slotted is made by it.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

C = TypeVar("C", bound=type)

_made: Any = dataclasses.dataclass(frozen=True, slots=True, eq=False, repr=False)


def quick(cls: C) -> C:
    """Make a class as `dataclasses.dataclass(frozen=True, slots=True)` would. No field may have a `hash` of its own."""
    own = dict(vars(cls))
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # it would be the signature, which takes long to find
    made: C = _made(cls)
    fields = dataclasses.fields(made)
    values = _values([field.name for field in fields if field.compare])
    shown = [field.name for field in fields if field.repr]

    def __eq__(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: object) -> int:
        return hash(values(self))

    def __repr__(self: object) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{self.__class__.__qualname__}({said})"

    for method in (__eq__, __hash__, __repr__):
        if own.get(method.__name__) is None:
            setattr(made, method.__name__, method)
    return made


def _values(names: list[str]) -> Callable[[object], Any]:
    """Return what gives the values of these fields; of one alone that is no tuple."""
    return attrgetter(*names) if names else lambda _: ()


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, **wanted):
        """Make a class as the standard library's decorator does, which is also what its arguments mean."""
        if wanted == {"frozen": True, "slots": True}:
            return quick
        return dataclasses.dataclass(cls, **wanted)
