"""What a sign-in left: an API key, or the tokens of OAuth; and how several are written into one file. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ucr import jsontext
from ucr.auth.grant import Grant, Unusable, is_secure_url, object_in, seconds_in, texts_in
from ucr.jsontext import JsonObject
from ucr.secret import Secret

Kind = Literal["api_key", "oauth"]
VERSION = 1


@dataclass(frozen=True, slots=True)
class Credential:
    """`access` is the API key or the access token, `expires_unix` when that ends: None is never.

    `base_url` is where the provider said that this user is to ask it. Times are in seconds since 1970.
    """

    kind: Kind
    access: Secret
    refresh: Secret = Secret("")
    expires_unix: float | None = None
    base_url: str | None = None
    saved_unix: float = 0.0

    @classmethod
    def of(cls, grant: Grant, unix_s: float, base_url: str | None = None) -> "Credential":
        """Return what is kept of a sign-in at this time."""
        expires = None if grant.life_s is None else unix_s + grant.life_s
        return cls("oauth", grant.access, grant.refresh, expires, base_url, unix_s)

    def renewed(self, grant: Grant, unix_s: float) -> "Credential":
        """Return what is kept after a renewal; the refresh token stays where no other was given."""
        fresh = Credential.of(grant, unix_s, self.base_url)
        return fresh if fresh.refresh else replace(fresh, refresh=self.refresh)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be shown."""
        return tuple(secret for secret in (self.access, self.refresh) if secret)


Credentials = Mapping[str, Credential]
"""By the ids of the providers."""


def read_credentials(data: bytes) -> dict[str, Credential]:
    """Read what `written` has written; raise `Unusable`."""
    tree = object_in(data, "holds no JSON object")
    if tree.get("version") != VERSION:
        raise Unusable(f"is of a version that is not known: {tree.get('version')!r}")
    listed = tree.get("credentials")
    if not isinstance(listed, dict) or not all(isinstance(fields, dict) for fields in listed.values()):
        raise Unusable("holds no table of credentials")
    return {name: _credential(fields) for name, fields in listed.items()}


def written(credentials: Credentials) -> bytes:
    """Return credentials as they are kept, in clear."""
    return jsontext.dumps(
        {"version": VERSION, "credentials": {name: _fields(kept) for name, kept in sorted(credentials.items())}}
    )


def _credential(fields: JsonObject) -> Credential:
    kind = fields.get("kind")
    if kind not in ("api_key", "oauth"):
        raise Unusable("holds a credential of a kind that is not known")
    (access,) = texts_in(fields, "access")
    refresh, base_url = fields.get("refresh"), fields.get("base_url")
    return Credential(
        kind,
        Secret(access),
        Secret(refresh if isinstance(refresh, str) else ""),
        seconds_in(fields, "expires_unix"),
        base_url if is_secure_url(base_url) else None,
        seconds_in(fields, "saved_unix") or 0.0,
    )


def _fields(credential: Credential) -> JsonObject:
    fields: JsonObject = {"kind": credential.kind, "access": credential.access.reveal()}
    if credential.refresh:
        fields["refresh"] = credential.refresh.reveal()
    named = {"expires_unix": credential.expires_unix, "base_url": credential.base_url}
    return (
        fields
        | {name: value for name, value in named.items() if value is not None}
        | {"saved_unix": credential.saved_unix}
    )
