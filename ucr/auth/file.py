"""The file in which the credentials of all providers are kept, in the state folder: this user's alone, and always whole.

It is changed as `ucr.private_file` says, and who reads needs no lock. Another lock for each provider is held while its
tokens are renewed, so that a refresh token that is good for once is used once.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from ucr.auth.credential import Credential, read_credentials, written
from ucr.auth.grant import Unusable, object_in
from ucr.auth.sealing import SEALED, Seal, opened, salt_of, seal_of, sealed
from ucr.config.places import state_folder
from ucr.jsontext import JsonObject
from ucr.private_file import OTHERS, locked, make_folder, replace_whole

NAME = "credentials.json"
LIMIT_BYTES = 1024 * 1024
RENEWING_S = 30.0
"""How long somebody else's renewal is waited for."""
_LOOK_S = 0.1


class CredentialFile:
    """`seal` is what the file is sealed with when it is written next; None: it is kept in clear."""

    def __init__(self, folder: Path, seal: Seal | None = None) -> None:
        self.path = folder / NAME
        self._folder = folder
        self._seal = seal

    def __repr__(self) -> str:
        return f"<CredentialFile {self.path}, {self.protection}>"

    @property
    def protection(self) -> str:
        """What the file is sealed with when it is written next."""
        return "in clear" if self._seal is None else f"sealed with a {self._seal.name.replace('_', ' ')}"

    def read(self) -> dict[str, Credential]:
        """Return what is kept, by provider; raise `Unusable` for a file that is damaged, sealed otherwise, or not private."""
        tree = self._tree()
        if tree is None:
            return {}
        data, fields = tree
        try:
            return read_credentials(opened(self._seal, fields) if SEALED in fields else data)
        except Unusable as error:
            raise Unusable(f"{self.path}: {error}") from None

    def change(self, provider: str, credential: Credential | None) -> bool:
        """Keep a provider's credential in place of its former one, or keep none; return whether there was one.

        Raises `Unusable` like `read`, and `OSError` when it cannot be written. What was kept is kept then.
        """
        with locked(self.path):
            kept = self.read()
            was_there = kept.pop(provider, None) is not None
            if credential is not None:
                kept[provider] = credential
            if was_there or credential is not None:
                self._write(kept)
        return was_there

    @asynccontextmanager
    async def renewing(self, provider: str) -> AsyncIterator[None]:
        """Be the only one, of all processes, that renews a provider's tokens; raise `Unusable` when others go on for long."""
        make_folder(self._folder)
        place = self._folder / f"{NAME}.{provider}.lock"
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with trio.move_on_after(RENEWING_S) as waiting:
                while not _try_lock(descriptor):  # noqa: ASYNC110 - another process holds it
                    await trio.sleep(_LOOK_S)
            if waiting.cancelled_caught:
                raise Unusable(f"{place}: another process has been renewing for {RENEWING_S:g} s")
            yield
        finally:
            os.close(descriptor)

    def _tree(self) -> tuple[bytes, JsonObject] | None:
        """Return what stands in the file, as bytes and as an object; None where there is none."""
        try:
            with self.path.open("rb") as file:
                found = os.fstat(file.fileno())
                data = file.read(LIMIT_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unusable(f"{self.path}: cannot be read: {error.strerror}") from None
        if found.st_mode & OTHERS:
            raise Unusable(f"{self.path}: others can reach it, so it is not used; chmod 600 it")
        if found.st_uid != os.geteuid():
            raise Unusable(f"{self.path}: belongs to another user, so it is not used")
        if len(data) > LIMIT_BYTES:
            raise Unusable(f"{self.path}: is larger than 1 MiB")
        return data, object_in(data, f"{self.path}: is damaged; move it away and sign in again")

    def _write(self, kept: Mapping[str, Credential]) -> None:
        data = written(kept)
        if self._seal is not None:
            before = self._tree()
            data = sealed(self._seal, data, None if before is None else salt_of(before[1]))
        replace_whole(self.path, data)


def credential_file(environ: Mapping[str, str]) -> CredentialFile:
    """Return the file that this environment means."""
    return CredentialFile(Path(state_folder(environ)), seal_of(environ))


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
