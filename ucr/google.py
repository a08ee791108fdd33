"""The credentials with which programs sign in at Google: what their files hold, and what a token is asked with.

Two kinds are known: the key of a service account, which signs a statement about itself, and the sign-in of a user
(`gcloud auth application-default login`), which holds a refresh token.
"""

import base64
from dataclasses import dataclass

from ucr import jsontext
from ucr.auth.grant import Unusable, object_in, texts_in
from ucr.secret import Secret

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_URL = "https://oauth2.googleapis.com/token"
LONGEST_S = 3600
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


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


def read_credentials(data: bytes) -> Credentials:
    """Read a file of credentials; raise `Unusable`."""
    fields = object_in(data, "holds no JSON object; name a key file of a service account, or one of gcloud")
    url = fields.get("token_uri") or TOKEN_URL
    if not isinstance(url, str):
        raise Unusable("token_uri is no text")
    match fields.get("type"):
        case "service_account":
            email, key = texts_in(fields, "client_email", "private_key")
            key_id = fields.get("private_key_id")
            return ServiceAccount(email, Secret(key), key_id if isinstance(key_id, str) else "", url)
        case "authorized_user":
            client, secret, refresh = texts_in(fields, "client_id", "client_secret", "refresh_token")
            return User(client, Secret(secret), Secret(refresh), url)
    raise Unusable('has a type that is neither "service_account" nor "authorized_user"')


def _coded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
