"""The credentials with which programs sign in at Google: what their files hold, and what a token is asked with.

Two kinds are known: the key of a service account, which signs a statement about itself, and the sign-in of a user
(`gcloud auth application-default login`), which holds a refresh token.
"""

import base64
import math
from dataclasses import dataclass

from ucr import jsontext
from ucr.jsontext import JsonError, JsonObject
from ucr.secret import Secret

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_URL = "https://oauth2.googleapis.com/token"
LONGEST_S = 3600
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEFAULT_LIFE_S = 300.0


class Unusable(ValueError):
    """A file or an answer that is not what it should be; the message says what helps, and shows no secret."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """`key` is a private key of RSA in PEM, `key_id` its name."""

    email: str
    key: Secret
    key_id: str = ""
    token_url: str = TOKEN_URL

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be shown."""
        return (self.key,)

    def claim(self, unix_s: float) -> bytes:
        """Return what is signed: who asks for a token, for what, and from when it is meant to hold."""
        header = {"alg": "RS256", "typ": "JWT", **({"kid": self.key_id} if self.key_id else {})}
        now = int(unix_s)
        said = {"iss": self.email, "scope": SCOPE, "aud": self.token_url, "iat": now, "exp": now + LONGEST_S}
        return b".".join(_coded(jsontext.dumps(part)) for part in (header, said))

    def form(self, claim: bytes, signature: bytes) -> dict[str, str]:
        """Return the question for a token, given the signature of the claim."""
        return {"grant_type": GRANT, "assertion": (claim + b"." + _coded(signature)).decode("ascii")}


@dataclass(frozen=True, slots=True)
class User:
    """The sign-in of a user through a client program."""

    client_id: str
    client_secret: Secret
    refresh_token: Secret
    token_url: str = TOKEN_URL

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be shown."""
        return self.client_secret, self.refresh_token

    def form(self) -> dict[str, str]:
        """Return the question for a token."""
        return {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self.client_secret.reveal(),
            "refresh_token": self.refresh_token.reveal(),
        }


Credentials = ServiceAccount | User


@dataclass(frozen=True, slots=True)
class Token:
    """`life_s` is for how many seconds it holds from when it was given."""

    secret: Secret
    life_s: float


def read_credentials(data: bytes) -> Credentials:
    """Read a file of credentials; raise `Unusable`."""
    fields = _object(data, "holds no JSON object; name a key file of a service account, or one of gcloud")
    url = fields.get("token_uri") or TOKEN_URL
    if not isinstance(url, str):
        raise Unusable("token_uri is no text")
    match fields.get("type"):
        case "service_account":
            email, key = _texts(fields, "client_email", "private_key")
            key_id = fields.get("private_key_id")
            return ServiceAccount(email, Secret(key), key_id if isinstance(key_id, str) else "", url)
        case "authorized_user":
            client, secret, refresh = _texts(fields, "client_id", "client_secret", "refresh_token")
            return User(client, Secret(secret), Secret(refresh), url)
    raise Unusable('has a type that is neither "service_account" nor "authorized_user"')


def read_token(data: bytes) -> Token:
    """Read the answer to a question for a token; raise `Unusable`."""
    fields = _object(data, "the answer holds no JSON object")
    (text,) = _texts(fields, "access_token")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Unusable("the access_token cannot be sent in a header")
    life = fields.get("expires_in")
    is_number = isinstance(life, int | float) and not isinstance(life, bool) and math.isfinite(life)
    return Token(Secret(text), max(0.0, float(life)) if is_number else DEFAULT_LIFE_S)  # type: ignore[arg-type]


def refusal_words(data: bytes) -> str:
    """Return the words of an answer that holds no token."""
    try:
        fields = _object(data, "")
    except Unusable:
        return "without a reason"
    words = [text for key in ("error", "error_description") if isinstance(text := fields.get(key), str)]
    return ": ".join(words)[:200] or "without a reason"


def _object(data: bytes, words: str) -> JsonObject:
    try:
        fields = jsontext.loads(data)
    except JsonError:
        fields = None
    if not isinstance(fields, dict):
        raise Unusable(words)
    return fields


def _texts(fields: JsonObject, *names: str) -> list[str]:
    texts = [fields.get(name) for name in names]
    for name, text in zip(names, texts, strict=True):
        if not isinstance(text, str) or not text:
            raise Unusable(f"{name} is missing")
    return [str(text) for text in texts]


def _coded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
