"""The keys of the tools that the router runs, and of the model that describes images."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ucr.access import is_loopback
from ucr.bridges.engines import ENGINES
from ucr.config.bridge_model import Tools, Vision, WebFetch, WebSearch
from ucr.config.field import COUNT, SECONDS, Field, Section
from ucr.config.kinds import Choice, IpNetwork, Key, Listing, Number, Table, TargetList, Url
from ucr.config.model import Provider
from ucr.config.reading import Reading, Values

_SEARCH, _FETCH, _TOOLS, _VISION = WebSearch("", ""), WebFetch(), Tools(), Vision(())
_USES = Number(1, 100, is_whole=True)
_BYTES = Number(1024, 2**26, is_whole=True)

WEB_SEARCH = (
    Field("engine", Choice(tuple(ENGINES)), "(required)", "Search engine that is asked.", is_required=True),
    Field("url", Url(), "(by engine)", "Where the engine is; SearXNG has no place of its own."),
    Field("api_key", Key(), "(none)", "Key that the engine wants."),
    Field(
        "max_results",
        Number(1, 20, is_whole=True),
        _SEARCH.max_results,
        "Pages that a search brings at most.",
    ),
    Field("max_uses", _USES, _SEARCH.max_uses, "Searches of one request, where it sets no lower limit."),
    Field("timeout_s", SECONDS, _SEARCH.timeout_s, "Limit of one search.", "s"),
)

WEB_FETCH = (
    Field("max_uses", _USES, _FETCH.max_uses, "Pages that one request may read, if it sets no lower limit."),
    Field("max_bytes", _BYTES, _FETCH.max_bytes, "What is read of one page at most.", "bytes"),
    Field("max_chars", _BYTES, _FETCH.max_chars, "Text of one page that a model gets at most.", "characters"),
    Field("timeout_s", SECONDS, _FETCH.timeout_s, "Limit of reading one page, redirects included.", "s"),
    Field(
        "allow_private",
        Listing(IpNetwork(), "addresses or networks"),
        [],
        "Networks beside the public net whose pages may be read, such as `10.1.0.0/16`.",
    ),
)

TOOLS = Section(
    "tools",
    "Tools that the router runs for models whose providers do not; see [bridges.md](bridges.md).",
    (
        Field(
            "web_search",
            Table(),
            "(none)",
            "How the web is searched; without it every search fails.",
            fields=WEB_SEARCH,
        ),
        Field(
            "web_fetch",
            Table(),
            "(none)",
            "How pages are read; without it no page is. An empty table is enough.",
            fields=WEB_FETCH,
        ),
        Field(
            "max_rounds",
            Number(1, 50, is_whole=True),
            _TOOLS.max_rounds,
            "Answers of the model that one request may take, until it must do without such tools.",
        ),
    ),
    '[tools.web_search]\nengine = "brave"\napi_key = "${BRAVE_API_KEY}"\n\n[tools.web_fetch]',
)

VISION = Field(
    "vision",
    Table(),
    "(none)",
    "Models that describe images to those that take none; without it such requests are refused.",
    fields=(
        Field(
            "targets",
            TargetList(),
            "(required)",
            "Target, or list of targets, that images are described by.",
            is_required=True,
        ),
        Field("max_images", COUNT, _VISION.max_images, "Images of one request; those with more are refused."),
        Field("max_tokens", COUNT, _VISION.max_tokens, "Length of one description at most.", "tokens"),
        Field("ttl_s", SECONDS, _VISION.ttl_s, "How long a description is used again.", "s"),
        Field(
            "max_bytes", _BYTES, _VISION.max_bytes, "Memory of the descriptions kept, in each worker.", "bytes"
        ),
    ),
)


def read_tools(reading: Reading, table: Values) -> Tools:
    """Read `[tools]`."""
    values = reading.values(table, TOOLS.fields, "tools")
    search, fetch = values.pop("web_search", None), values.pop("web_fetch", None)
    return Tools(
        web_search=None if search is None else _web_search(reading, search),
        web_fetch=None if fetch is None else WebFetch(**reading.values(fetch, WEB_FETCH, "tools.web_fetch")),
        **values,
    )


def read_vision(reading: Reading, table: Mapping[str, object] | None) -> Vision | None:
    """Read `[router.vision]`; None where there is none, or it names nobody."""
    if table is None:
        return None
    values = reading.values(dict(table), VISION.fields, "router.vision")
    return Vision(**values) if values.get("targets") else None


def check_models(reading: Reading, vision: Vision, providers: tuple[Provider, ...]) -> None:
    """Note targets that name no model: what the client asks for cannot stand in, since it takes no images."""
    nameless = {provider.id for provider in providers if provider.default_model is None}
    for target in vision.targets:
        if target.model is None and target.provider in nameless:
            remedy = f'names no model; write "{target.provider}/a-model-that-takes-images"'
            reading.problem("router.vision.targets", str(target), remedy)


def _web_search(reading: Reading, table: Values) -> WebSearch | None:
    at = "tools.web_search"
    values = reading.values(table, WEB_SEARCH, at)
    engine = ENGINES.get(values.get("engine", ""))
    if engine is None:
        return None
    search = WebSearch(**{"url": engine.url, **values})
    if not search.url and "url" not in table:
        reading.problem(f"{at}.url", None, f"is missing; write where your {search.engine} is")
    if engine.url and search.api_key is None and not any(p.key == f"{at}.api_key" for p in reading.problems):
        reading.problem(f"{at}.api_key", None, f"is missing or empty; {search.engine} wants a key")
    parts = urlsplit(search.url)
    if search.api_key is not None and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        reading.problem(
            f"{at}.url", search.url, "http:// to another machine sends the key in clear; use https://"
        )
    return search
