"""What Replicate says of one prediction, and where its stream is.

Source: the reference of Replicate's HTTP API, `predictions.create` and `predictions.get`.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from ucr import jsontext
from ucr.dialects import faults
from ucr.dialects.openai_chat.source import object_of, text_of
from ucr.jsontext import JsonError, JsonObject

ENDED = ("succeeded", "failed", "canceled", "aborted")
OWN_HOSTS = (".replicate.com", ".replicate.net")
"""Where streams of Replicate's own are, which is elsewhere than where they are asked for."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SAFE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Prediction:
    """A prediction as it stands: `fields` is all that was said of it."""

    id: str
    status: str
    fields: JsonObject

    @property
    def has_ended(self) -> bool:
        """True when nothing of it will change any more."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream is: `path` is path and query."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str


def read_prediction(body: bytes, provider: str) -> Prediction:
    """Read an answer that tells of a prediction; raise `UpstreamError` for what tells of none."""
    try:
        value = object_of(jsontext.loads(body))
    except JsonError:
        raise faults.unreadable(provider, "answered what is not JSON", body) from None
    id_, status = text_of(value.get("id")), text_of(value.get("status"))
    if not _ID.fullmatch(id_) or not status:
        raise faults.unreadable(provider, "answered what is no prediction", body)
    return Prediction(id_, status, value)


def stream_of(prediction: Prediction, base_url: str) -> Place | None:
    """Return where the stream of a prediction is; None where there is none, or none that belongs to the provider.

    An answer may not send the router anywhere: a stream is at the provider's own host, at one beside it, or at one of
    Replicate's when that is asked.
    """
    url = text_of(object_of(prediction.fields.get("urls")).get("stream"))
    if not _SAFE.fullmatch(url):
        return None
    try:
        place, base = urlsplit(url), urlsplit(base_url)
        port, host = place.port, place.hostname or ""
    except ValueError:
        return None
    if place.scheme not in ("http", "https") or not _belongs(host, base.hostname or ""):
        return None
    if base.scheme == "https" and place.scheme != "https":
        return None
    path = place.path or "/"
    scheme: Literal["http", "https"] = "https" if place.scheme == "https" else "http"
    return Place(
        scheme,
        host,
        port or (443 if scheme == "https" else 80),
        f"{path}?{place.query}" if place.query else path,
    )


def _belongs(host: str, own: str) -> bool:
    if ":" in own or own.replace(".", "").isdigit():  # an address has none beside it
        return host == own
    parent = own.partition(".")[2] if own.count(".") >= 2 else own
    if host == own or host.endswith(f".{parent}"):
        return True
    return f".{own}".endswith(OWN_HOSTS) and host.endswith(OWN_HOSTS)
