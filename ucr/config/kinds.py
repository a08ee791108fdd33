"""What a value of the configuration may be: how it is read, what JSON Schema and the reference say of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from actors.proxy import Proxy
from ucr.access import is_link_local
from ucr.config.interpolate import Filled
from ucr.config.model import ModelTarget, Targets
from ucr.secret import Secret

Schema = dict[str, Any]


class Wrong(ValueError):
    """A value that does not fit; the message says what would."""


class Kind(Protocol):
    """`read` returns the value as the model holds it, or raises `Wrong`; `is_secret` values are never shown."""

    @property
    def is_secret(self) -> bool: ...

    @property
    def word(self) -> str: ...

    def read(self, value: object) -> Any: ...

    def schema(self) -> Schema: ...


REFERENCE: Mapping[str, str] = MappingProxyType({"type": "string", "pattern": r"\$\{"})
"""A value of any type may come from the environment."""


@dataclass(frozen=True, slots=True)
class Text:
    pattern: str = ""
    says: str = "text"
    is_secret: bool = False

    @property
    def word(self) -> str:
        return self.says

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not value:
            raise Wrong(f"must be {self.says}")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise Wrong(f"must be {self.says}")
        return str(value)

    def schema(self) -> Schema:
        plain: Schema = {"type": "string", "minLength": 1}
        return plain | {"pattern": f"^{self.pattern}$|\\$\\{{"} if self.pattern else plain


@dataclass(frozen=True, slots=True)
class Choice:
    words: tuple[str, ...]
    is_secret: bool = False

    @property
    def word(self) -> str:
        return ", ".join(f"`{word}`" for word in self.words[:-1]) + f" or `{self.words[-1]}`"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise Wrong(f"must be one of {', '.join(self.words)}")
        return str(value)

    def schema(self) -> Schema:
        return {"anyOf": [{"enum": list(self.words)}, dict(REFERENCE)]}


@dataclass(frozen=True, slots=True)
class Number:
    lowest: float
    highest: float
    is_whole: bool = False
    is_secret: bool = False

    @property
    def word(self) -> str:
        return "whole number" if self.is_whole else "number"

    def read(self, value: object) -> float:
        if isinstance(value, Filled):
            value = _number(value)
        if isinstance(value, bool) or not isinstance(value, int if self.is_whole else int | float):
            raise Wrong(f"must be a {self.word} from {self.lowest:.15g} to {self.highest:.15g}")
        if not self.lowest <= value <= self.highest:
            raise Wrong(f"must lie between {self.lowest:.15g} and {self.highest:.15g}")
        return value if self.is_whole else float(value)

    def schema(self) -> Schema:
        type_ = "integer" if self.is_whole else "number"
        number = {"type": type_, "minimum": self.lowest, "maximum": self.highest}
        return {"anyOf": [number, dict(REFERENCE)]}


def _number(text: str) -> object:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


@dataclass(frozen=True, slots=True)
class Flag:
    is_secret: bool = False

    @property
    def word(self) -> str:
        return "true or false"

    def read(self, value: object) -> bool:
        if isinstance(value, Filled):
            value = {"true": True, "false": False}.get(value.lower(), value)
        if not isinstance(value, bool):
            raise Wrong("must be true or false, without quotes")
        return value

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "boolean"}, dict(REFERENCE)]}


@dataclass(frozen=True, slots=True)
class IpNetwork:
    """An address, or a network of them."""

    is_secret: bool = False

    @property
    def word(self) -> str:
        return "address or network"

    def read(self, value: object) -> str:
        try:
            return str(ip_network(value if isinstance(value, str) else "", strict=False))
        except ValueError:
            raise Wrong("must be an IP address or a network such as 10.0.0.0/8") from None

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class Key:
    """A secret; an empty one is none at all."""

    is_secret: bool = True

    @property
    def word(self) -> str:
        return "secret text"

    def read(self, value: object) -> Secret | None:
        if not isinstance(value, str):
            raise Wrong("must be text, best as a reference such as ${MY_KEY}")
        text = value.strip()
        if not text.isascii() or any(char.isspace() or not char.isprintable() for char in text):
            raise Wrong("a key is printable ASCII text without spaces")
        return Secret(str(text)) if text else None

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list whose items are all of one kind."""

    item: Kind
    says: str

    @property
    def is_secret(self) -> bool:
        return self.item.is_secret

    @property
    def word(self) -> str:
        return f"list of {self.says}"

    def read(self, value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Wrong(f"must be a list of {self.says}")
        items = tuple(self.item.read(item) for item in value)
        return tuple(item for item in items if item is not None)

    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True, slots=True)
class HeaderTable:
    """HTTP headers by name, in lower case; values may hold keys and are never shown."""

    is_secret: bool = True

    @property
    def word(self) -> str:
        return "table of text"

    def read(self, value: object) -> Mapping[str, str]:
        if not isinstance(value, dict):
            raise Wrong('must be a table such as { "x-team" = "a" }')
        for name, text in value.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
                raise Wrong(f"{name!r} is not a header's name")
            if not isinstance(text, str) or not text.isprintable() or not _is_latin_1(text):
                raise Wrong(f"the value of {name!r} must be Latin-1 text on one line")
        return MappingProxyType({name.lower(): str(text) for name, text in value.items()})

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": {"type": "string"}}


def _is_latin_1(text: str) -> bool:
    return max(text, default="") <= "\xff"


@dataclass(frozen=True, slots=True)
class Url:
    is_secret: bool = False

    @property
    def word(self) -> str:
        return "URL"

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise Wrong("must be a URL such as https://api.example.com/v1")
        parts = _split(value)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise Wrong("must be a URL such as https://api.example.com/v1")
        if parts.username is not None or parts.query or parts.fragment:
            raise Wrong("must hold no user, query or fragment; keys belong into api_key or headers")
        if is_link_local(parts.hostname):
            raise Wrong("link-local and metadata addresses are never asked")
        return str(value).rstrip("/")

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^https?://|\$\{"}


@dataclass(frozen=True, slots=True)
class ProxyUrl:
    """Where a proxy is; the URL may hold a user and a password, so that it is never shown."""

    is_secret: bool = True

    @property
    def word(self) -> str:
        return "URL"

    def read(self, value: object) -> Proxy:
        try:
            proxy = Proxy.of(value) if isinstance(value, str) and _split(value) else None
        except ValueError as error:
            raise Wrong(f"must be a URL such as http://proxy.example.com:3128: {error}")
        if proxy is None:
            raise Wrong("must be a URL such as http://proxy.example.com:3128")
        if is_link_local(proxy.host):
            raise Wrong("link-local and metadata addresses are never asked")
        return proxy

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^(https?|socks5h?)://|\$\{"}


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        return parts if parts.port != 0 and not re.search(r"[\s\\]", text) else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class TargetList:
    """One target or several: the first serves, the others follow when it fails."""

    is_secret: bool = False

    @property
    def word(self) -> str:
        return "target or list of targets"

    def read(self, value: object) -> Targets:
        items = value if isinstance(value, list) else [value]
        return tuple(_target(item) for item in items)

    def schema(self) -> Schema:
        one = {"type": "string", "minLength": 1}
        return {"anyOf": [one, {"type": "array", "items": one}]}


def _target(value: object) -> ModelTarget:
    if not isinstance(value, str) or not value.strip():
        raise Wrong('must be a target, "provider" or "provider/model", or a list of them')
    provider, slash, model = str(value).strip().partition("/")
    if not provider or (slash and not model):
        raise Wrong('must be a target, "provider" or "provider/model", or a list of them')
    return ModelTarget(provider, model or None)


@dataclass(frozen=True, slots=True)
class PerRoute:
    """One number for all routes, which stands under "*", or a table of numbers by route."""

    number: Number
    is_secret: bool = False

    @property
    def word(self) -> str:
        return "number or table of numbers"

    def read(self, value: object) -> Mapping[str, float]:
        if not isinstance(value, dict):
            return MappingProxyType({"*": self.number.read(value)})
        return MappingProxyType({str(route): self.number.read(item) for route, item in value.items()})

    def schema(self) -> Schema:
        one = self.number.schema()
        return {"anyOf": [*one["anyOf"], {"type": "object", "additionalProperties": one}]}


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or a list of them, whose keys are read elsewhere."""

    is_list: bool = False
    is_secret: bool = True

    @property
    def word(self) -> str:
        return "list of tables" if self.is_list else "table"

    def read(self, value: object) -> object:
        items = value if self.is_list else [value]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Wrong(f"must be a {self.word}")
        return value

    def schema(self) -> Schema:
        return {"type": "array", "items": {"type": "object"}} if self.is_list else {"type": "object"}
