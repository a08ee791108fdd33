"""The admin routes: what they answer, from what all workers say."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qs

from ucr import exposition, models, views
from ucr.config.model import Config
from ucr.control import Control
from ucr.dialects.roles import HeaderList
from ucr.errors import ApiError
from ucr.exchange import Exchange
from ucr.jsontext import dumps
from ucr.kept import tag_of
from ucr.observe.summary import summary_json


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: HeaderList = ()


EVENTS_PATH = "/ws/events"
"""The path of the live feed, which is a WebSocket: see `ucr.observe.events`."""

Render = Callable[[Control, Config, str], Awaitable[Page]]
"""Takes the query of the request as well."""


async def page(exchange: Exchange, control: Control, config: Config) -> Page:
    """Return the answer to a request whose method and path are in `PAGES`."""
    return await PAGES[exchange.method, exchange.path](control, config, exchange.query)


async def _providers(control: Control, config: Config, _query: str) -> Page:
    statuses = views.provider_statuses(await control.gather())
    return Page(dumps(models.providers_view(config, statuses)))


async def _tree(control: Control, _config: Config, _query: str) -> Page:
    return Page(dumps(views.tree_json(await control.gather())))


async def _metrics(control: Control, _config: Config, _query: str) -> Page:
    return Page(exposition.text(await control.gather()), content_type=exposition.CONTENT_TYPE)


async def _summary(control: Control, _config: Config, _query: str) -> Page:
    return Page(dumps(summary_json(await control.gather())))


async def _cache(control: Control, _config: Config, _query: str) -> Page:
    return Page(dumps(views.cache_json(await control.gather())))


async def _clear(control: Control, _config: Config, query: str) -> Page:
    return Page(dumps({"cleared": await control.clear_cache(_tag(query))}))


def _tag(query: str) -> str | None:
    """Return the tag of what is to be cleared; raise `ApiError` 400 for a query that names nothing of it."""
    fields = parse_qs(query, keep_blank_values=True)
    for name, values in fields.items():
        if name not in ("model", "provider") or not values[-1]:
            raise ApiError("invalid_request_error", f"{name[:200]}: use ?model=NAME, ?provider=ID, or both")
    model, provider = (fields.get(name, [None])[-1] for name in ("model", "provider"))
    return tag_of(model=model, provider=provider)


async def _events(_control: Control, _config: Config, _query: str) -> Page:
    """Refuse what asks for the live feed without opening a WebSocket."""
    upgrade = (("upgrade", "websocket"),)
    raise ApiError("invalid_request_error", f"{EVENTS_PATH}: open a WebSocket", status=426, headers=upgrade)


async def _reload(control: Control, _config: Config, _query: str) -> Page:
    result = await control.reload()
    body = {
        "applied": result.is_applied,
        "generation": result.generation,
        "problems": list(result.problems),
    }
    return Page(dumps(body), 200 if result.is_applied else 409)


PAGES: Mapping[tuple[str, str], Render] = MappingProxyType(
    {
        ("GET", "/v1/providers"): _providers,
        ("GET", "/admin/tree"): _tree,
        ("GET", "/metrics"): _metrics,
        ("GET", "/debug/metrics"): _summary,
        ("GET", "/cache/stats"): _cache,
        ("DELETE", "/cache"): _clear,
        ("POST", "/admin/reload"): _reload,
        ("GET", EVENTS_PATH): _events,
    }
)
