"""The secret of the cache: what keys the digests under which answers are kept, and seals what leaves the process.

It is the configured one, so that machines share answers; else, where answers outlive the process, one that is kept
beside them; else one that nobody else ever knows.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from ucr.config.model import Cache

SECRET_BYTES = 32


def secret_of(cache: Cache, made: bytes) -> bytes:
    """Return the secret of a cache; `made` is used where it needs to be known in this process alone."""
    if cache.secret is not None:
        return hashlib.sha256(b"the secret of the cache:" + cache.secret.reveal().encode()).digest()
    if cache.path is None:
        return made
    try:
        return _kept(Path(f"{cache.path}.secret"), made)
    except OSError:  # nor can the answers be kept, which is told when that is tried
        return made


def new_secret() -> bytes:
    """Make a secret."""
    return secrets.token_bytes(SECRET_BYTES)


def _kept(path: Path, made: bytes) -> bytes:
    """Return the secret in a file, which is made when it is not there or no good; who comes first decides."""
    found = _read(path)
    if found is not None:
        return found
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.ExitStack() as cleaned:
        cleaned.callback(written.unlink, missing_ok=True)
        with os.fdopen(
            os.open(written, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w"
        ) as file:
            file.write(made.hex())
        with contextlib.suppress(FileExistsError):
            os.link(written, path)
    return _read(path) or made


def _read(path: Path) -> bytes | None:
    with contextlib.suppress(FileNotFoundError, ValueError):
        found = bytes.fromhex(path.read_text("ascii"))
        return found if len(found) == SECRET_BYTES else None
    return None
