"""What the configuration says of tools that the router runs, and of eyes for models without."""

from dataclasses import dataclass

from ucr.config.targets import Targets
from ucr.secret import Secret


@dataclass(frozen=True, slots=True)
class WebSearch:
    """The engine that is asked for searches, and where it is."""

    engine: str
    url: str
    api_key: Secret | None = None
    max_results: int = 8
    max_uses: int = 8
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class WebFetch:
    """How pages are read. `allow_private` are networks beside the public net whose pages may be read as well."""

    max_uses: int = 8
    max_bytes: int = 2_097_152
    max_chars: int = 100_000
    timeout_s: float = 15.0
    allow_private: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tools:
    """A tool that is None is not run: a model that calls it is told so. `max_rounds` bounds the answers of one request."""

    web_search: WebSearch | None = None
    web_fetch: WebFetch | None = None
    max_rounds: int = 10


@dataclass(frozen=True, slots=True)
class Vision:
    """The models that describe images for those that take none, and how long descriptions are kept."""

    targets: Targets
    max_images: int = 20
    max_tokens: int = 1024
    ttl_s: float = 3600.0
    max_bytes: int = 4_194_304
