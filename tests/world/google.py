"""Credentials of Google Cloud, made for tests, and a server that gives tokens for them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

TOKEN = "ya29.token-of-the-scripted-server"
URL = "http://tokens.test/token"
EMAIL = "robot@my-project.iam.gserviceaccount.com"
USER = {
    "type": "authorized_user",
    "client_id": "an-id",
    "client_secret": "a-client-secret",
    "refresh_token": "a-refresh-token",
    "token_uri": URL,
}


@cache
def private_key() -> rsa.RSAPrivateKey:
    """Return a key that is made once for all tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account(**changes: Any) -> dict[str, Any]:
    """Return the key file of a service account."""
    pem = private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key": pem.decode(),
        "private_key_id": "key-1",
        "token_uri": URL,
        **changes,
    }


def written(folder: Path, fields: object) -> str:
    """Write a file of credentials and return where it is."""
    place = folder / "credentials.json"
    place.write_text(json.dumps(fields), "utf-8")
    return str(place)


def given(token: str = TOKEN, life_s: object = 3599) -> dict[str, Any]:
    """Return what the server of tokens answers."""
    return {"access_token": token, "expires_in": life_s, "token_type": "Bearer"}
