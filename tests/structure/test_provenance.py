"""Nothing that others made stands here without saying whose it is and under which licence."""

import re

import pytest

from tests.world.sources import ROOT

FIXTURES = ROOT / "tests" / "fixtures"
SCHEMAS = ROOT / "tests" / "schemas"
SCRIPTS = ROOT / "scripts"
ROW = re.compile(r"^\| `([^`]+)` \| [^|]+ \| [^|]+ \| `[^`]+` \| (?:MIT|Apache-2\.0) \|$", re.MULTILINE)
LISTED = frozenset(ROW.findall((FIXTURES / "PROVENANCE.md").read_text(encoding="utf-8")))
OWN = frozenset({"captures"})
CASES = sorted(
    f"{case.parent.name}/{case.name}"
    for case in FIXTURES.glob("*/*")
    if case.is_dir() and case.parent.name not in OWN
)


def test_the_table_is_read() -> None:
    assert {"anthropic/sdk-basic", "openai-chat/chat-tools"} <= LISTED


@pytest.mark.parametrize("case", CASES)
def test_every_recorded_case_names_its_source_and_licence(case: str) -> None:
    assert case in LISTED


@pytest.mark.parametrize("case", sorted(LISTED))
def test_every_source_that_is_named_is_that_of_a_case(case: str) -> None:
    assert case in CASES


@pytest.mark.parametrize("schema", sorted(path.name for path in SCHEMAS.glob("*.json")))
def test_every_schema_names_its_source(schema: str) -> None:
    assert f"`{schema}`" in (SCHEMAS / "PROVENANCE.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("program", sorted(path.name for path in SCRIPTS.glob("*.c")))
def test_every_program_in_c_names_its_source(program: str) -> None:
    assert f"`{program}`" in (SCRIPTS / "PROVENANCE.md").read_text(encoding="utf-8")
