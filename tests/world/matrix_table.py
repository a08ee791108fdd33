"""The matrix as a table: made by trying every cell, printed, and kept in the docs; `scripts/matrix` calls it."""

import sys
from collections.abc import Mapping

from tests.world.matrix import FEATURES, try_out
from tests.world.matrix_clients import CLIENTS
from tests.world.matrix_providers import SCRIPTS
from tests.world.sources import ROOT
from ucr.stress.clock import run_jumping

PAGE = ROOT / "docs" / "translation.md"
BEGIN, END = "<!-- matrix: made by scripts/matrix --docs -->\n", "<!-- end of the matrix -->\n"
FAILS = "**fails**"

Cell = tuple[str, str, str]
CELLS: tuple[Cell, ...] = tuple(
    (client, dialect, feature) for client in CLIENTS for dialect in SCRIPTS for feature in FEATURES
)
"""Every cell: client, provider, feature."""


def table(marks: Mapping[Cell, str]) -> str:
    """Return the table of the docs."""
    lines = [["client", "provider", *FEATURES], ["---"] * (2 + len(FEATURES))]
    for client in CLIENTS:
        for dialect in SCRIPTS:
            marked = (marks[client, dialect, feature] for feature in FEATURES)
            lines.append([f"`{client}`", f"`{dialect}`", *marked])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def table_in(page: str) -> dict[Cell, str]:
    """Return the marks of the table that a page has between its markers."""
    head, _, *rows = page.partition(BEGIN)[2].partition(END)[0].splitlines()
    features = _cells(head)[2:]
    found: dict[Cell, str] = {}
    for row in rows:
        client, dialect, *marks = (cell.strip("`") for cell in _cells(row))
        found |= {(client, dialect, feature): mark for feature, mark in zip(features, marks, strict=True)}
    return found


def page_with(page: str, made: str) -> str:
    """Return a page with another table between its markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, "the page has no place for the matrix"
    return f"{before}{begin}{made}{end}{after}"


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


async def _tried() -> dict[Cell, str]:
    marks: dict[Cell, str] = {}
    for cell in CELLS:
        try:
            marks[cell] = await try_out(*cell)
        except Exception as error:
            print(*cell, repr(_first(error))[:2000], sep=": ", file=sys.stderr)
            marks[cell] = FAILS
    return marks


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def main(arguments: list[str]) -> int:
    """Try every cell and print the table, or put it into the docs with `--docs`; 1 when a cell fails."""
    marks = run_jumping(_tried)
    if arguments == ["--docs"]:
        PAGE.write_text(page_with(PAGE.read_text("utf-8"), table(marks)), "utf-8")
    else:
        print(table(marks), end="")
    return 1 if FAILS in marks.values() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
