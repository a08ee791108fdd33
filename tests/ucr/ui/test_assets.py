import gzip
import hashlib
import re
from pathlib import Path

import pytest

from ucr.ui.assets import FOLDER, INDEX, POLICY, TYPES, Assets

ASSETS = Assets()
NAMES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in TYPES)
OWN = [name for name in NAMES if not name.startswith("vendor/")]


def page_in(folder: Path, text: str) -> Assets:
    (folder / INDEX).write_text(text)
    (folder / "a.js").write_text("let x;")
    return Assets(folder)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_served_for_ever_under_the_digest_of_all(name: str) -> None:
    sent = ASSETS.file(f"{ASSETS.digest}/{name}", {})
    assert sent is not None
    told = dict(sent.headers)
    assert (sent.status, sent.content_type) == (200, TYPES[Path(name).suffix])
    assert sent.body == (FOLDER / name).read_bytes()
    assert told["cache-control"] == "public, max-age=31536000, immutable"
    assert (told["content-security-policy"], told["x-content-type-options"]) == (POLICY, "nosniff")
    assert told["referrer-policy"] == "no-referrer"


def test_a_client_that_takes_gzip_gets_it() -> None:
    name = f"{ASSETS.digest}/vendor/uplot.js"
    packed, plain = ASSETS.file(name, {"accept-encoding": "gzip, br"}), ASSETS.file(name, {})
    assert packed is not None
    assert plain is not None
    assert ("content-encoding", "gzip") in packed.headers
    assert ("vary", "accept-encoding") in plain.headers
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2


@pytest.mark.parametrize(
    "path",
    ["app.js", "0123456789abcdef/app.js", "{}/../assets.py", "{}/vendor/uplot.LICENSE", "{}/", "{}/vendor", ""],
)
def test_nothing_else_is_served(path: str) -> None:
    assert ASSETS.file(path.replace("{}", ASSETS.digest), {}) is None


def test_the_page_names_its_files_by_their_digest_and_is_asked_for_each_time() -> None:
    sent = ASSETS.index({})
    names = re.findall(rb'(?:href|src)="([^"]+)"', sent.body)
    assert len(names) == 5
    for name in names:
        assert ASSETS.file(name.decode().removeprefix("/ui/"), {}) is not None
    told = dict(sent.headers)
    assert (told["cache-control"], told["etag"]) == ("no-cache", f'"{ASSETS.digest}"')
    assert told["content-security-policy"] == POLICY


@pytest.mark.parametrize("etag", ['"{}"', 'W/"{}"', '"other", "{}"'])
def test_a_copy_that_is_still_good_is_not_sent_again(etag: str) -> None:
    sent = ASSETS.index({"if-none-match": etag.replace("{}", ASSETS.digest)})
    assert (sent.status, sent.body) == (304, b"")
    assert ASSETS.index({"if-none-match": '"other"'}).status == 200


def test_the_digest_changes_with_every_file(tmp_path: Path) -> None:
    one = page_in(tmp_path, "<script src={assets}/a.js>").digest
    other = page_in(tmp_path, "<script src={assets}/a.js >").digest
    assert one != other


@pytest.mark.parametrize("name", [name for name in OWN if name.endswith((".html", ".js"))])
def test_nothing_of_ours_is_inline_or_makes_markup_of_text(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=\"|javascript:", text)


@pytest.mark.parametrize("name", OWN)
def test_nothing_of_ours_is_fetched_from_elsewhere(name: str) -> None:
    addresses = re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", (FOLDER / name).read_text("utf-8"))
    assert [address for address in addresses if "www.w3.org" not in address] == []


@pytest.mark.parametrize("name", [name for name in OWN if name.endswith(".js")])
def test_every_module_imports_files_that_are_there(name: str) -> None:
    imported = re.findall(r'from "([^"]+)"', (FOLDER / name).read_text("utf-8"))
    assert all((FOLDER / one).is_file() for one in imported)


def test_what_others_wrote_is_what_they_published() -> None:
    page = (FOLDER / "vendor" / "PROVENANCE.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|", page, re.MULTILINE))
    files = {path.name: path for path in (FOLDER / "vendor").iterdir() if path.suffix in TYPES}
    assert rows == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
