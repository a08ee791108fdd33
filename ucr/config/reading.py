"""Reads tables by the fields that they may hold, and keeps every problem instead of stopping at the first."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actors.proxy import Proxy
from actors.redis_address import RedisAddress
from ucr.auth.credential import Credentials
from ucr.config.field import Field, Section
from ucr.config.interpolate import Filled, Unresolved, fill_tree
from ucr.config.kinds import Wrong
from ucr.errors import Problem
from ucr.redaction import Redactor, holds_secret
from ucr.secret import Secret

Values = dict[str, Any]

SHOWN_LIMIT = 60
LISTED_LIMIT = 20


@dataclass(slots=True)
class Reading:
    """One file being read: what it found wrong, what it warns of, and the secrets that it met.

    `credentials` are what users got by signing in, by provider.
    """

    file: str
    environ: Mapping[str, str]
    credentials: Credentials = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)

    def problem(self, key: str, value: object, remedy: str, *, is_secret: bool = False) -> None:
        """Note what is wrong; a secret value is left out of the words."""
        shown = "" if value is None or is_secret else shown_value(value)
        self.problems.append(Problem(self.file, key, shown, remedy))

    def warn(self, words: str) -> None:
        self.warnings.append(f"{self.file}: {words}")

    def table(self, tree: Values, section: Section) -> Values:
        """Return the table of a section; an empty one where there is none or where it is something else."""
        value = tree.get(section.name, {})
        if isinstance(value, dict):
            return value
        self.problem(section.name, value, f"must be a table: [{section.name}]")
        return {}

    def tables(self, tree: Values, section: Section) -> list[Values]:
        """Return the tables of a section that may stand there more than once."""
        value = tree.get(section.name, [])
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return value
        self.problem(section.name, value, f"must be a list of tables: [[{section.name}]]", is_secret=True)
        return []

    def values(
        self, table: Values, fields: tuple[Field, ...], at: str, *, without_variables: bool = False
    ) -> Values:
        """Read a table's keys; what is wrong is noted and left out, what is not used yet is warned of.

        `without_variables` leaves out, and does not mind, values whose variables are not set.
        """
        known = {entry.key: entry for entry in fields}
        read: Values = {}
        for key, value in table.items():
            entry = known.get(key)
            if entry is None:
                self.problem(f"{at}.{key}", None, unknown_key(key, tuple(known)))
            else:
                self._value(read, entry, value, f"{at}.{key}", without_variables)
        for entry in fields:
            if entry.is_required and entry.key not in table:
                self.problem(f"{at}.{entry.key}", None, f"is missing; it must be {entry.kind.word}")
        return read

    def _value(self, read: Values, entry: Field, value: object, key: str, without: bool) -> None:
        try:
            filled = fill_tree(value, self.environ)
            result = entry.kind.read(filled)
        except Unresolved as missing:
            if without:
                return
            is_secret = entry.kind.is_secret or not isinstance(value, str)
            self.problem(key, value, str(missing), is_secret=is_secret)
        except Wrong as wrong:
            self.problem(key, filled, str(wrong), is_secret=entry.kind.is_secret)
        else:
            if result is not None:
                read[entry.key] = result
            self._remember(result, entry)

    def _remember(self, result: object, entry: Field) -> None:
        match result:
            case Secret():
                self.secrets.append(result)
            case Proxy(password=password) | RedisAddress(password=password) if password:
                self.secrets.append(Secret(password))
            case tuple() if entry.kind.is_secret:
                self.secrets.extend(item for item in result if isinstance(item, Secret))
            case Mapping() if entry.key == "headers":
                kept = (text for name, text in result.items() if holds_secret(name))
                self.secrets.extend(Secret(text) for text in kept)
            case _:
                pass


def shown_value(value: object) -> str:
    """Return a value as it stands in the file, short, and without anything that looks like a key."""
    if isinstance(value, Filled):
        value = value.written
    text = Redactor().text(repr(value))
    return text if len(text) <= SHOWN_LIMIT else f"{text[: SHOWN_LIMIT - 1]}…"


def unknown_key(key: str, known: tuple[str, ...]) -> str:
    """Return the remedy for a key that does not exist."""
    return f"is unknown{did_you_mean(key, known)}"


def did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """Return the question for the nearest known word, or where none is near the words that there are."""
    folded = {entry.replace("_", "").replace("-", ""): entry for entry in known}
    near = difflib.get_close_matches(word.lower().replace("_", "").replace("-", ""), folded, n=1)
    if near:
        return f"; did you mean {folded[near[0]]!r}?"
    return f"; known are {', '.join(sorted(known))}" if 0 < len(known) <= LISTED_LIMIT else ""
