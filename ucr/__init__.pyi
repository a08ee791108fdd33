"""What the library offers, with its types.

Nothing of the router is imported here: every module is below this package, and they would all be one cycle.
"""

from collections.abc import Callable as _Callable
from collections.abc import Mapping as _Mapping
from contextlib import AbstractAsyncContextManager as _AbstractAsyncContextManager
from os import PathLike as _PathLike
from typing import Any as _Any

import httpx as _httpx

from ucr.errors import ConfigError, UcrError

__all__ = ["ConfigError", "Router", "UcrError", "__version__", "open_router"]

__version__: str

class Router:
    """A router that runs; see `ucr.library.router`."""

    transport: _httpx.AsyncBaseTransport
    @property
    def config(self) -> _Any: ...
    def client(self) -> _httpx.AsyncClient: ...
    async def follow(self, config: object) -> None: ...
    async def view(self) -> _Any: ...

def open_router(
    config: object,
    *,
    log: _Callable[[bytes], object] = ...,
    state_folder: str | _PathLike[str] | None = ...,
    environ: _Mapping[str, str] = ...,
    network: _Any = ...,
) -> _AbstractAsyncContextManager[Router]: ...
