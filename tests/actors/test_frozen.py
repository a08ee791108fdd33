"""Classes that are made quickly differ in nothing but that from those of the standard library."""

import copy
import dataclasses
import pickle
from dataclasses import field
from typing import Any, ClassVar

import msgspec
import pytest

from actors.frozen import dataclass

std = dataclasses.dataclass(frozen=True, slots=True)
ours = dataclass(frozen=True, slots=True)


class Nothing:
    pass


class Single:
    word: str


class Several:
    """Words of its own."""

    kind: ClassVar[str] = "several"
    number: int
    word: str = field(default="x", repr=False)
    parts: tuple[int, ...] = ()
    seen: dict[str, int] = field(default_factory=dict, compare=False)

    def twice(self) -> int:
        return self.number * 2


class Checked:
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("too small")


class Spoken:
    number: int

    def __repr__(self) -> str:
        return "said"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self))


class Named:
    number: int = field(kw_only=True)
    made: int = field(default=3, init=False)


SHAPES = (
    (Nothing, ()),
    (Single, ("a",)),
    (Several, (1,)),
    (Several, (1, "y", (2,), {"a": 1})),
    (Checked, (1,)),
    (Spoken, (1,)),
)


def both(shape: type) -> tuple[Any, Any]:
    """Make the class both ways; each gets a copy of what is to be decorated."""
    copies = (type(shape.__name__, shape.__bases__, dict(vars(shape))) for _ in range(2))
    return std(next(copies)), ours(next(copies))


@pytest.mark.parametrize(("shape", "values"), SHAPES)
def test_they_are_made_shown_compared_and_hashed_alike(shape: type, values: tuple[Any, ...]) -> None:
    theirs, own = both(shape)
    assert repr(own(*values)) == repr(theirs(*values))
    assert own(*values) == own(*values)
    assert own(*values) != theirs(*values) or shape is Nothing or shape is Spoken
    assert dataclasses.asdict(own(*values)) == dataclasses.asdict(theirs(*values))
    assert own.__match_args__ == theirs.__match_args__
    assert own.__slots__ == theirs.__slots__
    assert hash(own(*values)) == hash(own(*values))


@pytest.mark.parametrize(("shape", "values"), SHAPES)
def test_they_are_copied(shape: type, values: tuple[Any, ...]) -> None:
    one = both(shape)[1](*values)
    assert copy.copy(one) == one
    assert copy.deepcopy(one) == one


@ours
class Kept:
    number: int
    word: str = "x"


def test_they_can_be_pickled_replaced_and_matched() -> None:
    assert pickle.loads(pickle.dumps(Kept(1))) == Kept(1)
    assert dataclasses.replace(Kept(1), number=2) == Kept(2)
    assert msgspec.convert({"number": 3}, Kept) == Kept(3)
    assert msgspec.json.encode(Kept(3)) == b'{"number":3,"word":"x"}'
    match Kept(4):
        case Kept(number, word="x"):
            assert number == 4
        case _:
            raise AssertionError("it does not match")


def test_nothing_can_be_changed() -> None:
    one: Any = Kept(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'number'"):
        one.number = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'number'"):
        del one.number
    assert not hasattr(one, "__dict__")


def test_fields_that_are_left_out_of_it_are_not_compared() -> None:
    own = both(Several)[1]
    assert own(1, seen={"a": 1}) == own(1, seen={"b": 2})
    assert hash(own(1, seen={"a": 1})) == hash(own(1))
    assert own(1) != own(2)
    assert own(1).seen is not own(1).seen


def test_what_is_wrong_with_a_value_is_told() -> None:
    own = both(Checked)[1]
    with pytest.raises(ValueError, match="too small"):
        own(-1)
    with pytest.raises(
        TypeError, match=r"Checked\.__init__\(\) missing 1 required positional argument: 'number'"
    ):
        own()


def test_what_is_not_plain_is_made_alike() -> None:
    theirs, own = both(Named)
    assert repr(own(number=1)) == repr(theirs(number=1)) == "Named(number=1, made=3)"

    @ours
    class Above(Kept):
        more: int = 0

    assert Above(1, "y", 2) == Above(1, "y", 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Above(1).more = 2  # type: ignore[misc]

    @dataclass(slots=True)
    class Changing:
        number: int

    one = Changing(1)
    one.number = 2
    assert one == Changing(2)
