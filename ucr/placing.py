"""Where a hosting platform has what a dialect asks for at its own path.

A platform names the model, or the deployment of it, in the path, and puts its own version there. This is decided
once for a provider: what a plain provider is asked goes to the base URL and the dialect's path.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from ucr.config.model import Provider
    from ucr.dialects.roles import Outgoing

Place = Callable[["Outgoing"], str]
"""Gives the whole path and query of a request."""

_OF_DEPLOYMENT = "/chat/completions"
_ROOTS = ("", "/openai")


def place_of(provider: "Provider") -> Place | None:
    """Return what places the requests to a provider; None where the dialect's own path follows the base URL."""
    return _azure(provider) if provider.quirks.platform == "azure" else None


def _azure(provider: "Provider") -> Place | None:
    """Azure has two layouts: deployments of one `api-version` each, and `/openai/v1`, which needs none.

    A base URL that says more than the resource names its layout itself.
    """
    url = urlsplit(provider.base_url)
    asked = parse_qs(url.query)
    version = provider.quirks.api_version or asked.pop("api-version", [""])[0]
    root = url.path.rstrip("/")
    query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, values in {**asked, **({"api-version": [version]} if version else {})}.items()
        for value in values
    )
    tail = f"?{query}" if query else ""
    if root not in _ROOTS:
        return (lambda outgoing: f"{root}{outgoing.path}{tail}") if version else None
    if not version:
        return lambda outgoing: f"/openai/v1{outgoing.path}{tail}"
    return lambda outgoing: f"/openai{_layout(outgoing)}{tail}"


def _layout(outgoing: "Outgoing") -> str:
    """Chat completions belong to a deployment; Responses name it in the body, as everywhere."""
    if outgoing.path != _OF_DEPLOYMENT:
        return outgoing.path
    return f"/deployments/{quote(outgoing.context.model_used, safe='')}{outgoing.path}"
