"""What must not leave this machine in a report: found in files and variables, and taken out of texts and trees. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ucr.redaction import MASK, Redactor, holds_secret

LEAST_CHARS = 6
"""A value of a variable or a file that is shorter is no secret: it would go as a part of ordinary words, too."""

MANY = frozenset({"root", "user", "admin", "ubuntu", "runner", "localhost"})
"""Names of users and machines that tell nothing about anybody."""

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
_NAMED = re.compile(
    r"(?i)([\w.-]*(?:api[-_]?key|auth|token|secret|passw|cookie|\bkeys?\b)[\w.-]*)[\"']?\s*[=:]\s*(.*)"
)
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)+)\"|'([^']+)'")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>\\]+", re.IGNORECASE)
_IN_WORDS = re.compile(
    r"(?i)((?:api[-_]?key|authorization|cookie|passw(?:or)?d|secret|[-_]token|\btoken|[-_]key)[\"']?\s*[:=]\s*[\"']?)"
    r"(?![\d.]+\b|null\b|true\b|false\b|\$\{|\[redacted)([^\s\"',;}\]]{4,})"
)
_IN_QUERY = re.compile(r"(?i)(?<=[?&;])([\w.-]*(?:key|token|secret|passw|auth|sig)[\w.-]*=)[^&\s\"'\\]+")


class Scrubber:
    """Takes out secrets, and what tells whose machine this is: `places` says what stands in place of names."""

    def __init__(self, secrets: Iterable[str], places: Iterable[tuple[str, str]]) -> None:
        self._redactor = Redactor(secret for secret in secrets if len(secret) >= LEAST_CHARS)
        named = sorted({pair for pair in places if pair[0]}, key=lambda pair: -len(pair[0]))
        self._places = [(_whole(name), put) for name, put in named if name.lower() not in MANY]

    def __repr__(self) -> str:
        return f"<Scrubber: {self._redactor!r}>"

    def text(self, text: str) -> str:
        """Return the text without all that."""
        text = self._redactor.text(text)
        text = _IN_QUERY.sub(rf"\1{MASK}", text)
        text = _IN_WORDS.sub(rf"\1{MASK}", text)
        for pattern, put in self._places:
            text = pattern.sub(put, text)
        return text

    def tree(self, value: Any) -> Any:
        """Return plain data without all that; what stands under the name of a secret goes, whatever it is."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self._under(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(item) for item in value]
        return value

    def _under(self, key: str, value: Any) -> Any:
        name = key.lower()
        if not (holds_secret(name) or name == "headers"):
            return self.tree(value)
        if isinstance(value, str):
            return value if _is_reference(value) else MASK
        if isinstance(value, dict):
            return {self.text(str(inner)): self._under(key, item) for inner, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._under(key, item) for item in value]
        return value


def _is_reference(value: str) -> bool:
    """True for what names a variable and holds nothing itself."""
    found = _REFERENCE.match(value)
    return found is not None and found.end() == len(value) - 1


def _whole(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])")


def secrets_of_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Give the values of variables whose names say that they are secrets, and what URLs of others hold."""
    for name, value in environ.items():
        if holds_secret(name.lower()):
            yield value
        yield from _secrets_of_urls(value)


def secrets_of_text(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Give what a file of configuration may hold of secrets, also where it cannot be read as one."""
    yield from (environ.get(name, "") for name in _REFERENCE.findall(text))
    yield from _secrets_of_urls(text)
    is_below_headers = False
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            is_below_headers = "headers" in line
        is_named = is_below_headers or "headers" in line or _NAMED.search(line) is not None
        if is_named:
            quoted = (double or single for double, single in _QUOTED.findall(line))
            yield from (words for words in quoted if not _is_reference(words))


def secrets_of_tree(value: Any, *, is_secret: bool = False) -> Iterator[str]:
    """Give the texts that stand under names of secrets, or below `headers`, in a tree."""
    if isinstance(value, str):
        if is_secret and not _is_reference(value):
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            name = str(key).lower()
            yield from secrets_of_tree(item, is_secret=is_secret or holds_secret(name) or name == "headers")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from secrets_of_tree(item, is_secret=is_secret)


def _secrets_of_urls(text: str) -> Iterator[str]:
    for found in _URL.findall(text):
        try:
            url = urlsplit(found)
            yield from (part for part in (url.password, url.username) if part)
        except ValueError:
            continue
        yield from (value for name, value in parse_qsl(url.query) if holds_secret(name.lower()))
