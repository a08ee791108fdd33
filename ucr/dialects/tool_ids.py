"""The ids of tool calls on their way between a provider and a client.

A client may demand that an id is of letters, digits, `_` and `-`; a provider may demand its own id back, letter
for letter (Kimi numbers its calls `functions.name:0`). So an id that a client could refuse travels to it
packed, and is unpacked on the way back: nothing is kept here.
"""

import base64
import binascii
import hashlib
import re

PREFIX = "ucrx_"

_PLAIN = re.compile(r"[a-zA-Z0-9_-]+")
_NUMBERED = re.compile(r"(?:[\w.-]+:)?[a-zA-Z_]*[-.:]?\d{1,4}")
_NINE = re.compile(r"[a-zA-Z0-9]{9}")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def to_client(upstream_id: str) -> str:
    """Return the id that a client gets for a provider's id."""
    if _PLAIN.fullmatch(upstream_id) and not upstream_id.startswith(PREFIX):
        return upstream_id
    packed = base64.urlsafe_b64encode(upstream_id.encode("utf-8", "replace")).decode()
    return PREFIX + packed.rstrip("=")


def to_upstream(client_id: str) -> str:
    """Return the provider's id for a client's; an id that `to_client` did not pack is returned as it is."""
    if not client_id.startswith(PREFIX):
        return client_id
    packed = client_id[len(PREFIX) :]
    try:
        upstream_id = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, ValueError):
        return client_id
    is_ours = bool(upstream_id) and to_client(upstream_id) == client_id
    return upstream_id if is_ours else client_id


def is_numbered(client_id: str) -> bool:
    """True for an id that only numbers the calls of one conversation, so that another one has it too."""
    return _NUMBERED.fullmatch(to_upstream(client_id)) is not None


def mint(seed_text: str) -> str:
    """Return a new id in Anthropic's form; the same text gives the same id."""
    return "toolu_" + _letters(seed_text, 24)


def alnum9(id_: str) -> str:
    """Return the id as the nine letters and digits that Mistral demands; one that is so already stays."""
    return id_ if _NINE.fullmatch(id_) else _letters(id_, 9)


def _letters(text: str, count: int) -> str:
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=32).digest()
    number = int.from_bytes(digest, "big")
    letters = []
    for _ in range(count):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return "".join(letters)
