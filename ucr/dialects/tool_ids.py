"""Ids of tool calls on their way between a provider and a client.

A client takes letters, digits, `_` and `-`. Another id travels as `ucrx_` and its base64url; an id that is
missing, or that cannot be unique in a conversation, is minted from a text that names the call.
"""

import base64
import binascii
import re
from hashlib import blake2b

_PLAIN = re.compile(r"[a-zA-Z0-9_-]+")
_WRAPPED = "ucrx_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def to_client(upstream_id: str) -> str:
    """Return an id that every client takes, and that leads back to the provider's own."""
    if _PLAIN.fullmatch(upstream_id) and not upstream_id.startswith(_WRAPPED):
        return upstream_id
    return _WRAPPED + base64.urlsafe_b64encode(upstream_id.encode("utf-8", "replace")).decode().rstrip("=")


def to_upstream(client_id: str) -> str:
    """Return the provider's own id for one that `to_client` gave."""
    packed = client_id.removeprefix(_WRAPPED)
    if packed == client_id:
        return client_id
    try:
        return base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, ValueError):
        return client_id


def mint(seed_text: str) -> str:
    """Return `toolu_` and 24 letters or digits; the same text always gives the same id."""
    number = int.from_bytes(blake2b(seed_text.encode("utf-8", "replace"), digest_size=20).digest(), "big")
    letters = []
    for _ in range(24):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return "toolu_" + "".join(letters)
