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
    """Start the books. A file that cannot be opened is told of, and tried again when there is something to write: what
    was spent before is then unknown to this process, and counted by the next one.

    Of a router that has just started no spender lives any more: what they spent is one sum.
    """
    awaited = spec.awaited if spec.generation > 1 else 0
    if spec.folder is None:
        return await supervisor.start(Books(BOOKS, None, unix_time, log, awaited=awaited))
    file = UsageFile(Path(spec.folder, NAME), Bounds(spec.keep_s, spec.max_bytes))
    kept: tuple[Balance, ...] = ()
    failure: Exception | None = None
    try:
        kept = file.balances(unix_time(), joined=spec.generation == 1)
    except (sqlite3.Error, OSError) as error:
        failure = error
    books = Books(BOOKS, file, unix_time, log, kept=kept, awaited=awaited)
    if failure is not None:
        books.note_failure(failure)
    return await supervisor.start(books)
