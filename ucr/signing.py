"""Which requests are signed rather than sent with a key, decided once for a provider."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ucr.sigv4 import Signer

if TYPE_CHECKING:
    from ucr.config.model import Provider

Sign = Callable[[str, bytes], tuple[tuple[str, str], ...]]
"""Takes path and query of a POST, and its body; returns the headers that prove who asks."""

SERVICE = "bedrock"


def signs(provider: "Provider", authority: str, unix_time: Callable[[], float]) -> Sign | None:
    """Return what signs the requests to a provider; None for one that has a key, or needs none.

    `authority` is the host, with the port if it is not the usual one, as it is sent.
    """
    if provider.aws is None or provider.quirks.region is None:
        return None
    signer = Signer(provider.aws, provider.quirks.region, SERVICE)
    host = (("host", authority),)
    return lambda path, body: signer.headers("POST", path, host, body, unix_time())
