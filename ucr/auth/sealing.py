"""Encrypts the file of credentials, with a passphrase or with a key that the system's key store keeps.

How this works. The text is sealed with AES-256-GCM under a nonce of its own each time. A passphrase becomes a key through
scrypt (RFC 7914; the costs are those that its authors give for files, 32 MiB and a tenth of a second), with a salt that
stays the same as long as the file, so that each process computes its key once.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Protocol

from ucr import jsontext
from ucr.auth.grant import Unusable, texts_in
from ucr.jsontext import JsonObject
from ucr.secret import Secret

KEY_BYTES, SALT_BYTES, NONCE_BYTES = 32, 16, 12
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1
SCRYPT_MEMORY = 64 * 1024 * 1024
SEALED = "sealed_with"
SERVICE, NAME = "ucr-trio", "credentials"
"""Under which the system's key store keeps the key."""
_BOUND_TO = b"ucr-trio credentials 1"
_NEEDS = 'needs a package that is not installed; pip install "ucr-trio[auth]"'


class Seal(Protocol):
    """Where the key comes from that a file is sealed with. `name` stands in the file."""

    name: str
    remedy: str

    def key(self, salt: bytes) -> bytes:
        """Return the key; raise `Unusable` when there is none to be had."""
        ...


class KeyStore(Protocol):
    """A key store of the system, in the words of the package `keyring`."""

    def get_password(self, service: str, name: str, /) -> str | None: ...

    def set_password(self, service: str, name: str, password: str, /) -> None: ...


class Passphrase:
    """A key that is made of a passphrase."""

    name = "passphrase"
    remedy = "UCR_PASSPHRASE is not the one that it was sealed with"

    def __init__(self, passphrase: Secret) -> None:
        self._passphrase = passphrase
        self._made: tuple[bytes, bytes] | None = None

    def key(self, salt: bytes) -> bytes:
        """Return the key; it takes a tenth of a second the first time."""
        if self._made is None or self._made[0] != salt:
            said = self._passphrase.reveal().encode()
            costs = {"n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P, "maxmem": SCRYPT_MEMORY}
            self._made = (salt, hashlib.scrypt(said, salt=salt, dklen=KEY_BYTES, **costs))
        return self._made[1]


class Stored:
    """A key that the system's key store keeps; it is made when there is none."""

    name = "key_store"
    remedy = "the key in the system's key store is not the one that it was sealed with"

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def key(self, salt: bytes) -> bytes:
        """Return the key, which depends on nothing."""
        found = self._store.get_password(SERVICE, NAME)
        if found is None:
            found = os.urandom(KEY_BYTES).hex()
            self._store.set_password(SERVICE, NAME, found)
        try:
            key = bytes.fromhex(found)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise Unusable(f"the system's key store has no good key as {SERVICE!r}, {NAME!r}")
        return key


def seal_of(environ: Mapping[str, str]) -> Seal | None:
    """Return what the environment says that credentials are sealed with; None: they are kept in clear."""
    if passphrase := environ.get("UCR_PASSPHRASE"):
        return Passphrase(Secret(passphrase))
    return Stored(_SystemStore()) if environ.get("UCR_KEY_STORE") == "1" else None


class _SystemStore:
    """The system's own key store, which is loaded when it is asked."""

    def get_password(self, service: str, name: str) -> str | None:
        return _keyring().get_password(service, name)

    def set_password(self, service: str, name: str, password: str) -> None:
        _keyring().set_password(service, name, password)


def _keyring() -> KeyStore:
    try:
        import keyring
    except ImportError:
        raise Unusable(f"UCR_KEY_STORE {_NEEDS}") from None
    store: KeyStore = keyring.get_keyring()
    return store


def sealed(seal: Seal, text: bytes, salt: bytes | None = None) -> bytes:
    """Return a text under seal, as JSON. `salt` is that of the file before, where there was one."""
    salt, nonce = salt or os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    data = _cipher(seal.key(salt)).encrypt(nonce, text, _BOUND_TO)
    fields = {"version": 1, SEALED: seal.name, "salt": salt.hex(), "nonce": nonce.hex()}
    return jsontext.dumps({**fields, "data": base64.b64encode(data).decode()})


def salt_of(fields: JsonObject) -> bytes | None:
    """Return the salt of a sealed file; None where there is no good one."""
    try:
        salt = bytes.fromhex(str(fields.get("salt")))
    except ValueError:
        return None
    return salt if len(salt) == SALT_BYTES else None


def opened(seal: Seal | None, fields: JsonObject) -> bytes:
    """Return the text that is under seal; raise `Unusable` when it does not open."""
    by, nonce, data = texts_in(fields, SEALED, "nonce", "data")
    if seal is None or seal.name != by:
        known = {"passphrase": "set UCR_PASSPHRASE to it", "key_store": "set UCR_KEY_STORE=1"}
        raise Unusable(
            f"is sealed with a {by.replace('_', ' ')}; {known.get(by, 'this version does not know it')}"
        )
    try:
        salt, iv, box = salt_of(fields), bytes.fromhex(nonce), base64.b64decode(data, validate=True)
    except ValueError:
        salt, iv, box = None, b"", b""
    if salt is None or len(iv) != NONCE_BYTES:
        raise Unusable("is sealed, and damaged; remove it and sign in again")
    cipher = _cipher(seal.key(salt))
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(iv, box, _BOUND_TO)
    except InvalidTag:
        raise Unusable(f"does not open: {seal.remedy}, or the file is damaged") from None


class _Cipher(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


def _cipher(key: bytes) -> _Cipher:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise Unusable(f"sealing {_NEEDS}") from None
    return AESGCM(key)
