"""Look at the built site as a browser would: nothing on a page is fetched from another machine, and every file and
place that a page leads to is there.

`scripts/docs` runs it after a build; the generator's own check knows the sources alone, not what a theme adds.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = (
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
)
"""Elements and attributes that a browser follows by itself."""


@dataclass
class Page(HTMLParser):
    """What a page fetches, where it leads, the places in it that can be led to, and what it shows of its source."""

    fetches: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    fences: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        self.places |= {values[name] for name in ("id", "name") if name in values}
        self.fetches += [values[name] for element, name in FETCHED if element == tag and name in values]
        if tag == "a" and "href" in values:
            self.leads.append(values["href"])

    def handle_data(self, data: str) -> None:
        """Keep what is a block's fence in the source, and no block on the page."""
        self.fences += [line for line in data.splitlines() if line.lstrip().startswith("```")]


def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text("utf-8"))
    return page


def problems(site: Path) -> Iterator[str]:
    """Give a sentence for each thing that is wrong with the site in this folder."""
    pages = {path: read(path) for path in sorted(site.rglob("*.html"))}
    if not pages:
        yield f"{site}: there is no page; build it with scripts/docs"
    for path, page in pages.items():
        name = path.relative_to(site)
        yield from (f"{name}: fetches {link} from elsewhere" for link in page.fetches if is_foreign(link))
        links = [link for link in (*page.fetches, *page.leads) if not is_foreign(link)]
        yield from (f"{name}: {fence!r} begins no block" for fence in page.fences)
        yield from (f"{name}: {link} leads nowhere" for link in links if not is_there(link, path, site, pages))


def is_foreign(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def is_there(link: str, path: Path, site: Path, pages: Mapping[Path, Page]) -> bool:
    """True when the file that a link on the page at `path` names is there, and its place in the file as well."""
    parts = urlsplit(link)
    if parts.scheme == "data":
        return True
    where = unquote(parts.path)
    target = (
        path if not where else (site / where[1:] if where.startswith("/") else path.parent / where).resolve()
    )
    if target.is_dir():
        target /= "index.html"
    is_place = not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].places
    return target.is_file() and is_place


def main(arguments: Sequence[str]) -> int:
    site = Path(arguments[0]).resolve()
    found = list(problems(site))
    print("\n".join(found) or f"{site.name}: every link leads somewhere, and nothing is fetched from elsewhere")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
