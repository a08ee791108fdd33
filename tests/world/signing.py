"""Scripted servers at which users sign in, and files of what that left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import trio

from ucr.auth.credential import Credential
from ucr.auth.file import CredentialFile
from ucr.auth.sign_in import SignIn
from ucr.secret import Secret
from ucr.stress.network import MemoryNetwork
from ucr.stress.upstream import Handler, SeenRequest, Upstream

OAUTH = SignIn("an-id", "http://tokens.test/token", "http://tokens.test/device", "read")
COPILOT = SignIn(
    "an-id", "http://tokens.test/token", "http://tokens.test/device", "read", "http://exchange.test/v2/token"
)
DEVICE = {
    "device_code": "the-device-code",
    "user_code": "ABCD-1234",
    "verification_uri": "https://login.test/device",
    "expires_in": 900,
    "interval": 5,
}
NOW = 1_800_000_000.0


@dataclass
class Servers:
    """Where tokens are given, and where they are exchanged."""

    network: MemoryNetwork
    tokens: Upstream
    exchange: Upstream

    @property
    def forms(self) -> list[dict[str, str]]:
        """What the server of tokens was sent."""
        return [form_of(request) for request in self.tokens.requests]


def form_of(request: SeenRequest) -> dict[str, str]:
    """Return the fields of a form."""
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


@asynccontextmanager
async def open_servers(*tokens: Handler, exchange: tuple[Handler, ...] = ()) -> AsyncIterator[Servers]:
    """Serve `http://tokens.test` and `http://exchange.test` in the block, a handler for each request."""
    servers = Servers(MemoryNetwork(), Upstream(*tokens), Upstream(*exchange))
    async with trio.open_nursery() as nursery:
        for name, upstream in (("tokens", servers.tokens), ("exchange", servers.exchange)):
            listener = servers.network.listener(f"{name}.test", 80)
            nursery.start_soon(trio.serve_listeners, upstream.serve, [listener])
        yield servers
        nursery.cancel_scope.cancel(reason="the test has ended")


def granted(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return what a server of tokens gives."""
    return {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "expires_in": 3600,
        "token_type": "bearer",
        **changes,
    }


def kept(number: int = 0, *, expires_unix: float | None = NOW + 3600, **changes: Any) -> Credential:
    """Return what a sign-in has left an hour before its end."""
    fields = {"refresh": Secret(f"refresh-{number}"), "saved_unix": NOW, **changes}
    return Credential("oauth", Secret(f"access-{number}"), expires_unix=expires_unix, **fields)


def file_with(folder: Path, **credentials: Credential) -> CredentialFile:
    """Return a file with these credentials; `_` stands for `-` in the names of the providers."""
    file = CredentialFile(folder)
    for name, credential in credentials.items():
        file.change(name.replace("_", "-"), credential)
    return file
