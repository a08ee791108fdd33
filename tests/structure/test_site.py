"""Every page of the documentation is in the navigation of the site, once, and the first page leads to each of them."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.world.sources import ROOT

SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
DRAWINGS = sorted(
    path for path in (ROOT / "docs" / "assets").glob("*.svg") if path.stem not in ("favicon", "top")
)
START = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


def places(entry: object) -> Iterator[str]:
    """Give the pages below an entry of the navigation, in their order."""
    match entry:
        case str():
            yield entry
        case list() | dict():
            for below in entry.values() if isinstance(entry, dict) else entry:
                yield from places(below)


LISTED = list(places(SITE["nav"]))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_in_the_navigation_of_mkdocs_yml(page: str) -> None:
    assert LISTED.count(page) == 1


@pytest.mark.parametrize("page", [page for page in PAGES if page != "index.md"])
def test_the_first_page_leads_to_every_other(page: str) -> None:
    assert f"]({page})" in START


def test_the_navigation_names_no_page_that_is_not_there() -> None:
    assert [page for page in LISTED if not (ROOT / "docs" / page).is_file()] == []


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.name)
def test_a_drawing_is_on_a_page_is_told_to_those_who_do_not_see_it_and_knows_the_dark(drawing: Path) -> None:
    assert [page for page in PAGES if f"](assets/{drawing.name})" in (ROOT / "docs" / page).read_text("utf-8")]
    text = drawing.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert {child.tag.rpartition("}")[2] for child in root} >= {"title", "desc"}
    assert "(prefers-color-scheme: dark)" in text
    assert text.count("http") == 1, "it names its namespace, and fetches nothing"
    assert float(root.attrib["width"]) <= 540, "its words can still be read on a screen 400 pixels wide"


def test_there_are_drawings_of_the_architecture() -> None:
    assert {path.name for path in DRAWINGS} >= {"processes.svg", "request.svg", "restarts.svg"}


def test_nothing_is_fetched_by_the_theme() -> None:
    assert SITE["theme"]["font"] is False
    files = [*SITE.get("extra_css", []), *SITE.get("extra_javascript", [])]
    assert [file for file in files if not (Path(ROOT) / "docs" / file).is_file()] == []


def test_pages_are_found_at_any_depth() -> None:
    assert list(places([{"A": ["a.md", {"B": ["b.md"]}]}, "c.md"])) == ["a.md", "b.md", "c.md"]
