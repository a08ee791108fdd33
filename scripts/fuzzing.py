"""Fuzz the targets of `tests/fuzz` for a while: spoil an input, read it, and keep what breaks the reader.

What broke one is written to `tests/fuzz/corpus/TARGET/crash-DIGEST`, so that the tests hold it from then on.
"""

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random

import click

from tests.fuzz.mutations import spoil
from tests.fuzz.seeds import CORPUS, seeds_of
from tests.fuzz.targets import TARGETS

Act = Callable[[bytes], None]
FAILED = 1
GROWTH = 2000
"""How many spoiled inputs are kept to be spoiled further; then it begins with the seeds again."""


def crashes(
    act: Act, seeds: Sequence[bytes], dice: Random, is_over: Callable[[], bool]
) -> Iterator[bytes | None]:
    """Give None for each input that is read or refused, and the input for each that is not, until it is over."""
    pool = list(seeds)
    while not is_over():
        data = spoil(dice.choice(pool), seeds, dice)
        yield data if error_of(act, data) else None
        pool = [*pool, data] if len(pool) < len(seeds) + GROWTH else list(seeds)


def error_of(act: Act, data: bytes) -> str:
    """Return how a target breaks at an input; "" when it does not."""
    try:
        act(data)
    except Exception:  # noqa: BLE001 - whatever it is: that is the question
        return traceback.format_exc()
    return ""


def keep(target: str, data: bytes, corpus: Path = CORPUS) -> Path:
    """Write an input to the corpus; return where it is."""
    folder = corpus / target
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"crash-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path


def _has_come(until_s: float) -> bool:
    return time.monotonic() >= until_s


@click.command()
@click.option("--seconds", type=click.FloatRange(min=0.1), default=120.0, help="For all targets together.")
@click.option("--seed", type=int, default=1, help="Of every choice.")
@click.argument("targets", nargs=-1, type=click.Choice(sorted(TARGETS)))
def main(seconds: float, seed: int, targets: tuple[str, ...]) -> None:
    """Fuzz TARGETS (all of them), one after the other; exit with 1 when one broke."""
    chosen = targets or tuple(TARGETS)
    broken = 0
    for target in chosen:
        is_over = partial(_has_come, time.monotonic() + seconds / len(chosen))
        count, seen = 0, set[str]()
        dice = Random(f"{seed} {target}")
        for crash in crashes(TARGETS[target], seeds_of(target), dice, is_over):
            count += 1
            if crash is None:
                continue
            said = error_of(TARGETS[target], crash)
            where = "\n".join(said.splitlines()[-4:-1])
            if where not in seen and len(seen) < 5:
                seen.add(where)
                print(f"{target} breaks at {keep(target, crash)}:\n{said}", file=sys.stderr)
        broken += len(seen)
        print(f"{target}: {count} inputs, {len(seen)} ways to break it", flush=True)
    sys.exit(FAILED if broken else 0)


if __name__ == "__main__":
    main()
