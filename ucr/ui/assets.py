"""The files of the dashboard, and how they are sent: under the digest of all of them, so that they never go stale."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from ucr.dialects.roles import HeaderList, Headers
from ucr.negotiation import coding_for
from ucr.ui.session import PATH

FOLDER = Path(__file__).with_name("static")
INDEX = "index.html"
PLACEHOLDER = b"{assets}"
"""Stands in the index for the path below which the other files are."""

TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
"""What is served; licences and the like are not."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""Nothing but our own files, nothing inline, and no text that becomes markup."""

SAFETY: HeaderList = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)

_KEPT = ("cache-control", "public, max-age=31536000, immutable")
_ASKED = ("cache-control", "no-cache")
_VARY = ("vary", "accept-encoding")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, plain and in gzip."""

    content_type: str
    plain: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer. A body of None is that of a 304."""

    status: int
    content_type: str
    headers: HeaderList
    body: bytes


class Assets:
    """All files of a folder, read when they are first asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    def __repr__(self) -> str:
        return f"<Assets in {self._folder}>"

    def index(self, headers: Headers) -> Sent:
        """Return the page, or that the client's copy is still good."""
        asset, etag = self._index, f'"{self.digest}"'
        told = (("etag", etag), _ASKED, _VARY, *SAFETY)
        if etag in (tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")):
            return Sent(304, asset.content_type, told, b"")
        return _sent(asset, headers, told)

    def file(self, path: str, headers: Headers) -> Sent | None:
        """Return the file that stands below a path of ours; None when there is none."""
        digest, _, name = path.partition("/")
        asset = self._files.get(name) if digest == self.digest else None
        return None if asset is None else _sent(asset, headers, (_KEPT, _VARY, *SAFETY))

    @cached_property
    def digest(self) -> str:
        """What the files are, in a few letters: it changes with each of them."""
        found = hashlib.sha256()
        for name, asset in self._files.items():
            found.update(f"{name} {len(asset.plain)}\n".encode() + asset.plain)
        return found.hexdigest()[:16]

    @cached_property
    def _files(self) -> Mapping[str, Asset]:
        paths = sorted(path for path in self._folder.rglob("*") if path.suffix in TYPES)
        return {path.relative_to(self._folder).as_posix(): _read(path) for path in paths}

    @cached_property
    def _index(self) -> Asset:
        page = self._files[INDEX]
        plain = page.plain.replace(PLACEHOLDER, f"{PATH}/{self.digest}".encode())
        return Asset(page.content_type, plain, _packed(plain))


def _read(path: Path) -> Asset:
    plain = path.read_bytes()
    return Asset(TYPES[path.suffix], plain, _packed(plain))


def _packed(plain: bytes) -> bytes:
    return gzip.compress(plain, 9, mtime=0)


def _sent(asset: Asset, headers: Headers, told: HeaderList) -> Sent:
    if coding_for(headers.get("accept-encoding", "")) == "gzip":
        return Sent(200, asset.content_type, (*told, ("content-encoding", "gzip")), asset.packed)
    return Sent(200, asset.content_type, told, asset.plain)
