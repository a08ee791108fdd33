"""Amazon's signature of a request, version 4: what proves that the sender holds a secret key.

The key that signs is derived from the secret and changes with the day. The path is coded once more than it is sent,
as all services but S3 want it. Source: "Signature Version 4" in the reference of IAM.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from ucr.secret import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"

HeaderList = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """Who asks: the name of a secret key, the key, and for one that was lent, the token that came with it."""

    access_key_id: Secret
    secret_access_key: Secret
    session_token: Secret | None = None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be shown."""
        lent = () if self.session_token is None else (self.session_token,)
        return (self.secret_access_key, *lent, self.access_key_id)


class Signer:
    """Signs requests to one service of one region; keeps the key of the day."""

    def __init__(self, keys: AwsKeys, region: str, service: str) -> None:
        self._keys = keys
        self._region = region
        self._service = service
        self._day = ""
        self._key = b""

    def __repr__(self) -> str:
        return f"<Signer of {self._service} in {self._region}>"

    def headers(
        self, method: str, path: str, given: HeaderList, body: bytes, unix_s: float
    ) -> tuple[tuple[str, str], ...]:
        """Return the headers to add, `authorization` among them.

        `path` is path and query as sent; `given` are further headers that are signed, `host` among them, by names
        in lower case.
        """
        stamp = datetime.fromtimestamp(int(unix_s), UTC).strftime("%Y%m%dT%H%M%SZ")
        added: HeaderList = (("x-amz-date", stamp),)
        if self._keys.session_token is not None:
            added += (("x-amz-security-token", self._keys.session_token.reveal()),)
        names, request = _canonical(method, path, (*given, *added), body)
        day = stamp[:8]
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        text = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
        signature = hmac.new(self._key_of(day), text.encode(), hashlib.sha256).hexdigest()
        credential = f"{self._keys.access_key_id.reveal()}/{scope}"
        proof = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return (*added, ("authorization", proof))

    def _key_of(self, day: str) -> bytes:
        if day != self._day:
            key = b"AWS4" + self._keys.secret_access_key.reveal().encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            self._day, self._key = day, key
        return self._key


def _canonical(method: str, path: str, headers: HeaderList, body: bytes) -> tuple[str, str]:
    """Return the names of the headers, and the request in the form that is signed."""
    place, _, query = path.partition("?")
    pairs = sorted((_coded(name), _coded(value)) for name, value in parse_qsl(query, keep_blank_values=True))
    fields = sorted((name, " ".join(value.split())) for name, value in headers)
    names = ";".join(name for name, _ in fields)
    lines = (
        method,
        quote(place or "/", safe="/-_.~"),
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{value}" for name, value in fields),
        "",
        names,
        hashlib.sha256(body).hexdigest(),
    )
    return names, "\n".join(lines)


def _coded(text: str) -> str:
    return quote(text, safe="-_.~")
