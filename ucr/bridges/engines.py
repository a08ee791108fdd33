"""The search engines that can be asked, as data: how each is asked, and where in its answer the pages stand.

Sources: docs.searxng.org (Search API), api-dashboard.search.brave.com (Web Search API), docs.tavily.com (Search).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from ucr import jsontext
from ucr.bridges.asked import Asked
from ucr.bridges.blocks import Found
from ucr.jsontext import JsonError, JsonObject

QUERY_CHARS = 400
"""The longest query: the engines refuse longer ones."""
TEXT_CHARS = 4000
"""The most that is kept of the excerpt of one page."""
_TITLE_CHARS = 300
_URL_CHARS = 2000

EngineName = Literal["searxng", "brave", "tavily"]


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine. `pages` is the way to the list of pages; of `text` and `age` the first that is there counts.

    `allowed` and `blocked` are its own words for domains: without them a single domain is asked for as `site:`, and
    what does not fit is left out of the answer. With a `key_prefix` the key follows it.
    """

    url: str
    path: str
    is_post: bool
    query: str
    count: str | None
    key_header: str
    key_prefix: str
    pages: tuple[str, ...]
    text: tuple[str, ...]
    age: tuple[str, ...]
    always: tuple[tuple[str, str], ...] = ()
    allowed: str | None = None
    blocked: str | None = None


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "searxng": Engine(
            url="",
            path="/search",
            is_post=False,
            query="q",
            count=None,
            key_header="authorization",
            key_prefix="Bearer ",
            pages=("results",),
            text=("content",),
            age=("publishedDate",),
            always=(("format", "json"),),
        ),
        "brave": Engine(
            url="https://api.search.brave.com",
            path="/res/v1/web/search",
            is_post=False,
            query="q",
            count="count",
            key_header="x-subscription-token",
            key_prefix="",
            pages=("web", "results"),
            text=("description",),
            age=("page_age", "age"),
        ),
        "tavily": Engine(
            url="https://api.tavily.com",
            path="/search",
            is_post=True,
            query="query",
            count="max_results",
            key_header="authorization",
            key_prefix="Bearer ",
            pages=("results",),
            text=("content",),
            age=("published_date",),
            allowed="include_domains",
            blocked="exclude_domains",
        ),
    }
)


def question(engine: Engine, query: str, asked: Asked, count: int) -> JsonObject:
    """Return the fields of a question, for the query of a URL or for a body."""
    fields: JsonObject = dict(engine.always)
    if engine.allowed is None and len(asked.allowed) == 1:
        query = f"{query} site:{asked.allowed[0]}"
    fields[engine.query] = query
    if engine.count is not None:
        fields[engine.count] = count
    for name, domains in ((engine.allowed, asked.allowed), (engine.blocked, asked.blocked)):
        if name is not None and domains:
            fields[name] = list(domains)
    return fields


def headers(engine: Engine, key: str | None) -> dict[str, str]:
    """Return what a question is sent with."""
    kept = {"accept": "application/json", "accept-encoding": "identity"}
    return kept if key is None else {**kept, engine.key_header: engine.key_prefix + key}


def pages(engine: Engine, body: bytes, asked: Asked, count: int) -> tuple[Found, ...] | None:
    """Return the pages of an answer that the request permits, at most so many; None for an answer without a list."""
    try:
        listed: Any = jsontext.loads(body)
    except JsonError:
        return None
    for name in engine.pages:
        listed = listed.get(name) if isinstance(listed, dict) else None
    if not isinstance(listed, list):
        return None
    found = [one for page in listed if isinstance(page, dict) if (one := _found(engine, page)) is not None]
    return tuple([one for one in found if asked.permits(one.url)][:count])


def _found(engine: Engine, page: JsonObject) -> Found | None:
    url = _text(page, ("url",), _URL_CHARS)
    if not url.startswith(("http://", "https://")):
        return None
    title = _text(page, ("title",), _TITLE_CHARS) or url
    text = _text(page, engine.text, TEXT_CHARS)
    return Found(title, url, text, _text(page, engine.age, _TITLE_CHARS) or None)


def _text(page: JsonObject, names: Sequence[str], chars: int) -> str:
    return next((text[:chars] for name in names if isinstance(text := page.get(name), str)), "")
