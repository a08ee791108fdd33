"""What Amazon's exceptions mean, in an answer with a status and within a stream.

Source: the errors that the models of the Bedrock runtime name for their operations.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ucr import jsontext
from ucr.dialects import faults
from ucr.dialects.bedrock.frames import Frame
from ucr.dialects.roles import Headers
from ucr.errors import UpstreamError
from ucr.jsontext import JsonError

STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "accessdeniedexception": 403,
        "internalserverexception": 500,
        "modelerrorexception": 424,
        "modelnotreadyexception": 503,
        "modelstreamerrorexception": 424,
        "modeltimeoutexception": 408,
        "resourcenotfoundexception": 404,
        "servicequotaexceededexception": 429,
        "serviceunavailableexception": 503,
        "throttlingexception": 429,
        "validationexception": 400,
    }
)
"""By the name in small letters: within streams it begins with one. A model that is not ready is loaded meanwhile."""

_OTHER = 500


def status_of(name: str, status: int = _OTHER) -> int:
    """Return the status that an exception stands for; that which came with it, for one that is not known."""
    return STATUSES.get(name.lower(), status)


def words_of(payload: bytes) -> str:
    """Return the words of an exception; of what is none, whatever can be shown."""
    try:
        value = jsontext.loads(payload)
    except JsonError:
        return faults.snippet(payload)
    if not isinstance(value, dict):
        return faults.snippet(payload)
    words = next((value[key] for key in ("message", "Message", "originalMessage") if key in value), None)
    return words if isinstance(words, str) else ""


def in_stream(provider: str, frame: Frame) -> UpstreamError:
    """Return what an exception within a stream means."""
    words = words_of(frame.payload) or frame.headers.get(":error-message", "")
    name = frame.exception
    message = words or f"provider '{provider}' ended its answer in '{name[:100]}'"
    return faults.upstream_error(provider, status_of(name), message, code=name)


def decode_error(provider: str, status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Read a refusal: its name is in a header, its words are in the body."""
    name = headers.get("x-amzn-errortype", "").partition(":")[0].rpartition("#")[2]
    words = words_of(body)
    message = words or (f"provider '{provider}' answered {status}" + (f": {name[:100]}" if name else ""))
    return faults.upstream_error(provider, status_of(name, status), message, code=name, headers=headers)
