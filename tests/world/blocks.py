"""The blocks of code in README and docs, with what their first line says of how they are tried.

After the language stand options, which no reader sees: ```` ```sh skip="needs a container engine" ````.

| option | what it says |
|---|---|
| `skip` | why the block is not tried |
| `of` | whose file it is, where it is not the router's: it is parsed, and not loaded |
| `source` | the file that the lines stand in |
| `stays` | words after which a command that does not end is left to itself, until the next such block or the page's end |
| `until` | the same, and then Ctrl-C |
| `stdin` | what is typed |
| `instead` | `A=B; C=D`: what is written in place of what would take too long |
| `first` | commands that the page leaves out, such as writing the file that it speaks of |
| `status` | the exit status, where it is not 0 |
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.world.sources import ROOT

LANGUAGES = frozenset({"sh", "console", "toml", "python", "json", "yaml", "promql", "conf", "text"})
OPTIONS = frozenset({"skip", "of", "source", "stays", "until", "stdin", "instead", "first", "status"})

_BLOCK = re.compile(
    r"^(?P<fence>```+)(?P<language>[\w-]*)(?P<options>[^\n]*)\n(?P<text>.*?)^(?P=fence)\s*$", re.M | re.S
)
_OPTION = re.compile(r'([a-z]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Block:
    """A block: the page that it is on, the line of its fence, its language, its options and its text."""

    page: str
    line: int
    language: str
    options: Mapping[str, str]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str, text: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found["language"], dict(_OPTION.findall(found["options"])), found["text"])


def all_blocks() -> tuple[Block, ...]:
    """Read the blocks of README and of every page, in their order."""
    pages = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    return tuple(
        block for page in pages for block in blocks_of(name_of(page), page.read_text(encoding="utf-8"))
    )


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()
