"""Where a hosting platform has what a dialect asks for at its own path.

A platform names the model, or the deployment of it, in the path, and puts its own version there. This is decided
once for a provider: what a plain provider is asked goes to the base URL and the dialect's path.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from ucr.config.model import Provider
    from ucr.dialects.roles import Outgoing

Place = Callable[["Outgoing"], str]
"""Gives the whole path and query of a request."""

GLOBAL = "global"
_OF_DEPLOYMENT = "/chat/completions"
_ROOTS = ("", "/openai")


def place_of(provider: "Provider") -> Place | None:
    """Return what places the requests to a provider; None where the dialect's own path follows the base URL."""
    match provider.quirks.platform:
        case "azure":
            return _azure(provider)
        case "vertex":
            return _vertex(provider)
        case "bedrock" if provider.dialect == "anthropic":
            return partial(_of_model, urlsplit(provider.base_url).path.rstrip("/"))
        case _:
            return None


def vertex_root(location: str) -> str:
    """Return the base URL of a location of Vertex AI."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _vertex(provider: "Provider") -> Place:
    """Models stand below a project, a location, and whoever publishes them."""
    quirks = provider.quirks
    root = urlsplit(provider.base_url).path.rstrip("/") or "/v1"
    project, location = (quote(text or "", safe="") for text in (quirks.project, quirks.location or GLOBAL))
    root = f"{root}/projects/{project}/locations/{location}/publishers"
    return partial(_of_claude if provider.dialect == "anthropic" else _of_gemini, root)


def _of_gemini(root: str, outgoing: "Outgoing") -> str:
    return f"{root}/google/models/{outgoing.path.rpartition('/')[2]}"


def _of_claude(root: str, outgoing: "Outgoing") -> str:
    if outgoing.path.endswith("/count_tokens"):
        return f"{root}/anthropic/models/count-tokens:rawPredict"
    action = "streamRawPredict" if outgoing.context.stream else "rawPredict"
    return f"{root}/anthropic/models/{quote(outgoing.context.model_used, safe='@')}:{action}"


def _of_model(root: str, outgoing: "Outgoing") -> str:
    """Bedrock takes the bodies of the model's maker by the model's name, which may be that of a profile."""
    model = f"{root}/model/{quote(outgoing.context.model_used, safe='')}"
    if outgoing.path.endswith("/count_tokens"):
        return f"{model}/count-tokens"
    return f"{model}/{'invoke-with-response-stream' if outgoing.context.stream else 'invoke'}"


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
