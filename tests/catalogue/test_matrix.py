"""Every client dialect before every provider dialect, through the whole router, as the table of the docs has it."""

import pytest

from tests.world.matrix import try_out
from tests.world.matrix_table import CELLS, PAGE, Cell, table, table_in
from ucr.dialects.registry import PROVIDERS, clients

pytestmark = pytest.mark.usefixtures("both_lanes")

WRITTEN = table_in(PAGE.read_text("utf-8"))


@pytest.mark.parametrize("cell", CELLS, ids="-".join)
async def test_a_cell_is_as_the_docs_have_it(cell: Cell, autojump_clock: object) -> None:
    assert await try_out(*cell) == WRITTEN[cell]


def test_the_matrix_has_dialects_that_there_are() -> None:
    assert {client for client, _, _ in CELLS} <= set(clients(lambda: 0.0))
    assert {dialect for _, dialect, _ in CELLS} <= set(PROVIDERS)


def test_a_table_is_read_as_it_is_written() -> None:
    assert table(WRITTEN) in PAGE.read_text("utf-8")
