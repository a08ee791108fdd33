"""Another provider's signed thinking on its way through a Gemini client.

These clients keep the `thoughtSignature` of a call and bring it back; thoughts themselves many of them forget. So
the thinking that stands before a call travels whole in the signature of the call: `ucr1.` and JSON, in base64. A
real signature of Google's never begins so, and one of these never reaches Google.
"""

import base64
import binascii
from typing import TypeAlias

from ucr import jsontext
from ucr.jsontext import JsonError, JsonObject

_MARK = b"ucr1."
OURS = "dWNyMS"
"""How a packed signature begins, in either alphabet of base64."""

Entry: TypeAlias = tuple[str, str, str, bool]
"""A block: `thinking` or `redacted`, its text or data, its signature, and whether text stands before it."""

_TO_STANDARD = str.maketrans("-_", "+/")


def pack(entries: list[Entry]) -> str:
    """Write blocks as a signature."""
    return base64.b64encode(_MARK + jsontext.dumps(entries)).decode()


def restore(signature: object) -> list[tuple[JsonObject, bool]] | None:
    """Return the blocks of a signature, each with whether text stood before it; None for another's, or a damaged one."""
    if not is_ours(signature):
        return None
    assert isinstance(signature, str)
    text = signature.translate(_TO_STANDARD).rstrip("=")
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        entries = jsontext.loads(packed.removeprefix(_MARK))
    except (binascii.Error, ValueError, JsonError):
        return None
    if not packed.startswith(_MARK) or not isinstance(entries, list):
        return None
    return [block for entry in entries if (block := _block(entry)) is not None]


def is_ours(signature: object) -> bool:
    """True for a signature that was packed here."""
    return isinstance(signature, str) and signature.startswith(OURS)


def _block(entry: object) -> tuple[JsonObject, bool] | None:
    match entry:
        case ["thinking", str(text), str(signature), bool(is_behind)]:
            return {"type": "thinking", "thinking": text, "signature": signature}, is_behind
        case ["redacted", str(data), str(), bool(is_behind)]:
            return {"type": "redacted_thinking", "data": data}, is_behind
        case _:
            return None
