"""Every block of shell in README and docs is typed, page by page, and does what the page says."""

import re
from itertools import groupby
from pathlib import Path

import pytest

from tests.world.blocks import Block, all_blocks
from tests.world.desk import commands_of, desk, pattern_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(660)]

ELSEWHERE = frozenset({"docs/library.md"})
"""Pages whose programs run in a test of their own: `tests/e2e/test_library.py`."""

TYPED = [
    block
    for block in all_blocks()
    if "skip" not in block.options
    and block.page not in ELSEWHERE
    and (block.language in ("sh", "console") or (block.language == "python" and "import" in block.text))
]
PAGES = [(page, list(blocks)) for page, blocks in groupby(TYPED, lambda block: block.page)]


@pytest.mark.parametrize(("page", "blocks"), PAGES, ids=[page for page, _ in PAGES])
async def test_a_page_can_be_followed_from_its_first_block_to_its_last(
    tmp_path: Path, page: str, blocks: list[Block]
) -> None:
    async with desk(tmp_path) as laid:
        for block in blocks:
            first = block.options.get("first", "")
            if block.language == "console":
                for number, (command, printed) in enumerate(commands_of(block.text)):
                    said = await laid.type(block, f"{first}\n{command}" if number == 0 else command)
                    assert not printed or re.search(f"{pattern_of(printed)}\\s*$", said), f"{block}: {said}"
            elif block.language == "python":
                await laid.type(block, f"{first}\npython - <<'END_OF_BLOCK'\n{block.text}END_OF_BLOCK\n")
            else:
                await laid.type(block, f"{first}\n{block.text}")


def test_what_is_printed_is_compared_but_for_numbers_ids_and_times() -> None:
    pattern = pattern_of("2026-11-26T20:14:07.112Z  req_0f3c…  529  812 ms  cost $0.1\n...\nend")
    assert re.fullmatch(pattern, "2027-01-01T01:01:01.001Z req_1 200 1,203.4 ms cost $3.2\nmore\nend")
    assert not re.fullmatch(pattern, "2027-01-01T01:01:01.001Z req_1 200 1,203.4 s cost $3.2\nmore\nend")


def test_a_console_has_commands_and_what_each_prints() -> None:
    assert commands_of("$ a\nb\nc\n$ d\n") == [("a", "b\nc\n"), ("d", "")]
