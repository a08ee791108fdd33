"""How the books are opened: the file, what is known from before, and the actor."""

import math
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from actors import Supervisor
from actors.allowance import Balance
from ucr.books import Books
from ucr.kept_file import Bounds
from ucr.logs import Log
from ucr.usage_file import NAME, UsageFile
from ucr.views import BOOKS


@dataclass(frozen=True, slots=True)
class BooksSpec:
    """`folder` None keeps nothing beyond the process. `generation` counts the stores of one parent."""

    folder: str | None = None
    keep_s: float = math.inf
    max_bytes: int = 2**40
    generation: int = 1
    awaited: int = 0


async def start_books(
    supervisor: Supervisor, spec: BooksSpec, unix_time: Callable[[], float], log: Log
) -> Books:
    """Start the books. A file that cannot be opened is told of, and nothing is kept in it.

    Of a router that has just started no spender lives any more: what they spent is one sum.
    """
    keeper, kept = (None, ()) if spec.folder is None else _opened(spec, spec.folder, unix_time(), log)
    awaited = spec.awaited if spec.generation > 1 else 0
    return await supervisor.start(Books(BOOKS, keeper, unix_time, log, kept=kept, awaited=awaited))


def _opened(
    spec: BooksSpec, folder: str, now_s: float, log: Log
) -> tuple[UsageFile | None, tuple[Balance, ...]]:
    file = None
    try:
        file = UsageFile(Path(folder, NAME), Bounds(spec.keep_s, spec.max_bytes))
        return file, file.balances(now_s, joined=spec.generation == 1)
    except (sqlite3.Error, OSError) as error:
        log.warning("usage.unwritten", error=str(error))
        if file is not None:
            file.close()
        return None, ()
