from pathlib import Path

import pytest

from ucr.catalogue import ROWS, Row
from ucr.config.catalogue_page import catalogue_page
from ucr.config.quirk_fields import quirk_keys
from ucr.dialects.registry import PROVIDERS

DOCS = Path(__file__).parents[3] / "docs"
PAGE = catalogue_page()


def test_the_page_in_the_docs_is_the_one_of_the_code() -> None:
    assert (DOCS / "providers.md").read_text(encoding="utf-8") == PAGE, "run scripts/make-docs"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_provider_has_its_part(row: Row) -> None:
    part = PAGE.partition(f"\n## {row.id}\n")[2].partition("\n## ")[0]
    assert "- asked at " in part
    assert f"[`{row.id}`](#{row.id})" in PAGE
    assert row.base_url in part
    assert row.dialect in PROVIDERS
    assert all(f'`dialect = "{dialect}"`' in part.replace("with ", "") for dialect, _ in row.also)
    assert all(f"`{name}: {value}`" in part for name, value in row.headers)


def test_differences_are_written_as_the_configuration_writes_them() -> None:
    part = PAGE.partition("\n## mistral\n")[2].partition("\n## ")[0]
    assert '`tool_id = "alnum9"`' in part
    assert "`stream_usage = false`" in part
    named = {word.split(" = ")[0] for word in part.partition("- differs: ")[2].split("`") if " = " in word}
    assert named <= set(quirk_keys())
