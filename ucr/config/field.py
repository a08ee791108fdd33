"""What a key of the configuration file is, and a table of them; and the kinds of value that several tables share."""

from dataclasses import dataclass

from ucr.config.kinds import Kind, Listing, Number, Text


@dataclass(frozen=True, slots=True)
class Field:
    """One key. `default` is what the reference shows: a text in brackets says where the value comes from.

    `fields` are the keys of a table, where the key holds one.
    """

    key: str
    kind: Kind
    default: object
    says: str
    unit: str = ""
    is_required: bool = False
    fields: tuple["Field", ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the file. `is_list` tables stand in double brackets; `open_kind` is that of free keys."""

    name: str
    says: str
    fields: tuple[Field, ...]
    example: str
    is_list: bool = False
    open_kind: Kind | None = None


COUNT = Number(1, 1_000_000, is_whole=True)
SECONDS = Number(0.001, 86_400)
ID = Text(r"[A-Za-z0-9][A-Za-z0-9._-]*", "letters, digits, dots, dashes and underscores")
NAMES = Listing(Text(), "texts")
