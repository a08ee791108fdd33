"""The tools that Anthropic's servers run, as a request asks for them, and what they may reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

from ucr.jsontext import JsonObject

Kind = Literal["web_search", "web_fetch"]
SEARCH: Kind = "web_search"
FETCH: Kind = "web_fetch"
KINDS: tuple[Kind, ...] = (SEARCH, FETCH)
MARK = "web_"
"""How the types of all of them begin."""

RESPONSES_SEARCH: Mapping[str, str] = MappingProxyType({"type": "web_search_20250305", "name": "web_search"})
"""What the search of a Responses client is in the canonical form."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One such tool. `max_uses` and `max_tokens` (of one page) are None where the request sets no limit.

    Domains are as the Messages API has them: `example.com` stands for its subdomains as well, and a path may follow.
    """

    kind: Kind
    type: str
    name: str
    max_uses: int | None = None
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    max_tokens: int | None = None

    def permits(self, url: str) -> bool:
        """True when the request lets the tool see this address."""
        if self.allowed and not any(_is_below(url, domain) for domain in self.allowed):
            return False
        return not any(_is_below(url, domain) for domain in self.blocked)


def kind_of(tool: Any) -> Kind | None:
    """Return which of the tools a tool is; None for any other."""
    type_ = tool.get("type") if isinstance(tool, dict) else None
    if not isinstance(type_, str) or type_[:4] != MARK:
        return None
    return next((kind for kind in KINDS if type_ == kind or type_.startswith(f"{kind}_")), None)


def asked_of(tools: Any) -> tuple[Asked, ...]:
    """Return the tools among those of a request; one whose name a function of the client's has is not among them."""
    listed = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    functions = {tool.get("name") for tool in listed if kind_of(tool) is None}
    found: dict[Kind, Asked] = {}
    for tool in listed:
        kind = kind_of(tool)
        if kind is not None and _name(tool, kind) not in functions:
            found.setdefault(kind, _asked(tool, kind))
    return tuple(found.values())


def _asked(tool: JsonObject, kind: Kind) -> Asked:
    given = tool.get("filters")
    filters: JsonObject = given if isinstance(given, dict) else tool
    return Asked(
        kind,
        tool["type"],
        _name(tool, kind),
        _count(tool.get("max_uses")),
        _texts(filters.get("allowed_domains")),
        _texts(filters.get("blocked_domains")),
        _count(tool.get("max_content_tokens")),
    )


def _name(tool: JsonObject, kind: Kind) -> str:
    name = tool.get("name")
    return name if isinstance(name, str) and name else kind


def _count(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _is_below(url: str, domain: str) -> bool:
    """True for an address within a domain, below its path if it has one; a `*` ends a path."""
    wanted, slash, path = domain.lower().removeprefix("https://").removeprefix("http://").partition("/")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    if host != wanted and not host.endswith(f".{wanted}"):
        return False
    return parts.path.lower().startswith(f"{slash}{path.partition('*')[0]}")
