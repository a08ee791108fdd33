"""Claude on platforms of others: the same body, but for where the model and the version stand."""

from ucr.dialects.roles import Headers, Target
from ucr.jsontext import JsonObject

PLAIN_VERSION = "2023-06-01"
VERTEX_VERSION = "vertex-2023-10-16"
"""The version of the platform that means the same as the plain one; later ones are named alike on both."""


def is_hosted(target: Target) -> bool:
    """True where the body is not that of Anthropic's own API."""
    return target.quirks.platform == "vertex"


def hosted(body: JsonObject, client: Headers, *, is_count: bool = False) -> JsonObject:
    """Return a body as Vertex takes it: the model is named in the path, unless tokens are counted."""
    asked = client.get("anthropic-version", PLAIN_VERSION)
    version = VERTEX_VERSION if asked == PLAIN_VERSION else asked
    kept = {key: value for key, value in body.items() if key != "model" or is_count}
    return {"anthropic_version": version, **kept}
