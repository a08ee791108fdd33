"""The admin routes: what they answer, from what all workers say."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ucr import exposition, models, views
from ucr.config.model import Config
from ucr.control import Control
from ucr.exchange import Exchange
from ucr.jsontext import dumps


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


Render = Callable[[Control, Config], Awaitable[Page]]


async def page(exchange: Exchange, control: Control, config: Config) -> Page:
    """Return the answer to a request whose method and path are in `PAGES`."""
    return await PAGES[exchange.method, exchange.path](control, config)


async def _providers(control: Control, config: Config) -> Page:
    statuses = views.provider_statuses(await control.gather())
    return Page(dumps(models.providers_view(config, statuses)))


async def _tree(control: Control, _config: Config) -> Page:
    return Page(dumps(views.tree_json(await control.gather())))


async def _metrics(control: Control, _config: Config) -> Page:
    return Page(exposition.text(await control.gather()), content_type=exposition.CONTENT_TYPE)


async def _cache(control: Control, config: Config) -> Page:
    return Page(dumps(views.cache_json(await control.gather())))


async def _clear(control: Control, _config: Config) -> Page:
    return Page(dumps({"cleared": await control.clear_cache()}))


async def _reload(control: Control, _config: Config) -> Page:
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
        ("GET", "/cache/stats"): _cache,
        ("DELETE", "/cache"): _clear,
        ("POST", "/admin/reload"): _reload,
    }
)
