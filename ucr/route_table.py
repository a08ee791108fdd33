"""The table of the routes: which endpoint a method and a path belong to, and who may ask it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from ucr.errors import ApiError

E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Route(Generic[E_co]):
    """`guard` says who may: `open` anybody, `client` who has a client key, `admin` who has the admin key.

    `page` and `session` are the dashboard's, which says who may. A route that is a prefix stands for every path that
    begins with its own.
    """

    methods: tuple[str, ...]
    path: str
    endpoint: E_co
    guard: str = "client"
    is_prefix: bool = False

    def fits(self, path: str) -> bool:
        """Return whether a path is served by this route, whatever the method."""
        return path.startswith(self.path) and path != self.path if self.is_prefix else path == self.path


class RouteTable(Generic[E_co]):
    """Finds routes: whole paths first, then prefixes in their order."""

    def __init__(self, routes: tuple[Route[E_co], ...]) -> None:
        self._routes = routes
        self._exact: Mapping[tuple[str, str], Route[E_co]] = MappingProxyType(
            {(method, route.path): route for route in routes if not route.is_prefix for method in route.methods}
        )
        self._prefixes = tuple(route for route in routes if route.is_prefix)

    def __repr__(self) -> str:
        return f"<RouteTable of {len(self._routes)} routes>"

    def find(self, method: str, path: str) -> Route[E_co]:
        """Return the route of a request; raise `ApiError` 404 for another path, 405 for another method."""
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact
        for route in self._prefixes:
            if method in route.methods and route.fits(path):
                return route
        raise self._nothing_at(method, path)

    def _nothing_at(self, method: str, path: str) -> ApiError:
        found = [route for route in self._routes if route.fits(path)]
        if not found:
            return ApiError("not_found_error", f"{path} is not served here", code="unknown_url")
        allowed = ", ".join(sorted({name for route in found for name in route.methods}))
        return ApiError(
            "invalid_request_error",
            f"{method} {path}: use {allowed}",
            status=405,
            headers=(("allow", allowed),),
        )
