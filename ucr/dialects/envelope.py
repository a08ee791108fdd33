"""The signature of thinking blocks that UCR makes from other providers' reasoning.

`ucr1.<provider>.<base64url of JSON>`: recognisable, so that it is removed together with its block before any
Anthropic upstream sees it; and a carrier of the provider's own state (encrypted reasoning, thought
signatures), so that it comes back to that provider, and to no other, without anything kept here.
"""

import base64
import binascii
from dataclasses import dataclass

from ucr import jsontext
from ucr.jsontext import JsonObject

PREFIX = "ucr1."


@dataclass(frozen=True, slots=True)
class Envelope:
    provider: str
    state: JsonObject


def seal(provider: str, state: JsonObject) -> str:
    """Write an envelope; `provider` is the configured id, `state` what that provider wants back."""
    packed = base64.urlsafe_b64encode(jsontext.dumps(state)).decode().rstrip("=")
    return f"{PREFIX}{provider}.{packed}"


def is_ours(signature: object) -> bool:
    """True when UCR wrote this signature, and so no Claude can verify it."""
    return isinstance(signature, str) and signature.startswith(PREFIX)


def unseal(signature: object) -> Envelope | None:
    """Read an envelope; None for another's signature and for ours when it was damaged on its way."""
    if not isinstance(signature, str) or not signature.startswith(PREFIX):
        return None
    provider, dot, packed = signature[len(PREFIX) :].rpartition(".")
    if not dot:
        return None
    try:
        state = jsontext.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    except (binascii.Error, ValueError):
        return None
    return Envelope(provider, state) if isinstance(state, dict) else None
