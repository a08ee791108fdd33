"""Claude on platforms of others: the same body, but for where the model, the version and the betas stand."""

import base64
from collections.abc import Mapping
from types import MappingProxyType

from ucr import jsontext
from ucr.dialects.anthropic import betas
from ucr.dialects.roles import Headers, Target
from ucr.jsontext import JsonObject
from ucr.quirks import Quirks

PLAIN_VERSION = "2023-06-01"
VERSIONS: Mapping[str, str] = MappingProxyType({"vertex": "vertex-2023-10-16", "bedrock": "bedrock-2023-05-31"})
"""The version of a platform that means the same as the plain one; later ones are named alike everywhere."""

_IN_THE_REQUEST = frozenset({"model", "stream"})


def is_hosted(target: Target) -> bool:
    """True where the body is not that of Anthropic's own API."""
    return target.quirks.platform in VERSIONS


def is_on_bedrock(quirks: Quirks) -> bool:
    """True where bodies are Claude's, and all around them is Amazon's."""
    return quirks.platform == "bedrock"


def hosted(body: JsonObject, client: Headers, platform: str, *, is_count: bool = False) -> JsonObject:
    """Return a body as the platform takes it: the model is named in the path, unless Vertex counts tokens."""
    asked = client.get("anthropic-version", PLAIN_VERSION)
    version = VERSIONS[platform] if asked == PLAIN_VERSION else asked
    if platform == "bedrock":
        return _on_bedrock({"anthropic_version": version, **body}, client, is_count=is_count)
    kept = {key: value for key, value in body.items() if key != "model" or is_count}
    return {"anthropic_version": version, **kept}


def _on_bedrock(body: JsonObject, client: Headers, *, is_count: bool) -> JsonObject:
    """Whether there is to be a stream is said in the path, and betas are said in the body."""
    kept = {key: value for key, value in body.items() if key not in _IN_THE_REQUEST}
    if named := betas.named(client.get(betas.HEADER, "")):
        kept["anthropic_beta"] = list(named)
    if not is_count:
        return kept
    thinking = kept.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    kept.setdefault("max_tokens", budget + 1 if isinstance(budget, int) else 1)
    return {"input": {"invokeModel": {"body": base64.b64encode(jsontext.dumps(kept)).decode()}}}
