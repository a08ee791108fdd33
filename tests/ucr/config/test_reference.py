from pathlib import Path

import pytest

from ucr.catalogue import ROWS
from ucr.config.field import Section
from ucr.config.fields import SECTIONS
from ucr.config.reference import markdown

DOCS = Path(__file__).parents[3] / "docs"
PAGE = markdown()


def test_the_page_in_the_docs_is_the_one_of_the_code() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == PAGE


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_key_has_one_row_of_five_cells(section: Section) -> None:
    title = f"[[{section.name}]]" if section.is_list else f"[{section.name}]"
    _, _, part = PAGE.partition(f"## `{title}`\n")
    part = part.partition("\n## ")[0]
    for entry in section.fields:
        (row,) = [line for line in part.splitlines() if line.startswith(f"| `{entry.key}` |")]
        assert row.replace("\\|", "").count("|") == 6
        assert entry.says.replace("|", "\\|") in row


def test_every_known_provider_is_listed() -> None:
    for row in ROWS:
        assert f"| `{row.id}` | {row.dialect} |" in PAGE
