"""The file in which the credentials of all providers are kept, in the state folder: this user's alone, and always whole.

How this works. Whoever changes it holds a lock (of the kernel's, which ends with its process), reads what stands there
now, writes a new file beside it, has that reach the disk, and renames it over the old one. Who reads needs no lock. Another
lock for each provider is held while its tokens are renewed, so that a refresh token that is good for once is used once.
"""

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import trio

from ucr.auth.credential import Credential, read_credentials, written
from ucr.auth.grant import Unusable, object_in
from ucr.auth.sealing import SEALED, Seal, opened, salt_of, seal_of, sealed
from ucr.config.places import state_folder
from ucr.jsontext import JsonObject

NAME = "credentials.json"
LIMIT_BYTES = 1024 * 1024
OTHERS = stat.S_IRWXG | stat.S_IRWXO
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
        with self._locked():
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
        self._make_folder()
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
        made = self._folder / f"{NAME}.{os.getpid()}.{secrets.token_hex(4)}"
        with contextlib.ExitStack() as cleaned:
            cleaned.callback(made.unlink, missing_ok=True)
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
            with os.fdopen(os.open(made, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            made.replace(self.path)
        _settle(self._folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._make_folder()
        descriptor = os.open(self._folder / f"{NAME}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(self._folder.stat().st_mode) & OTHERS:
            self._folder.chmod(0o700)


def credential_file(environ: Mapping[str, str]) -> CredentialFile:
    """Return the file that this environment means."""
    return CredentialFile(Path(state_folder(environ)), seal_of(environ))


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _settle(folder: Path) -> None:
    """Have the change of a name reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
