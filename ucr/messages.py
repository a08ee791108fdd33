"""What the parent and its workers say to each other. Everything here is data that travels.

A worker is ready when it has answered its first `Reconfigure`. Times travel as remaining seconds.
"""

from dataclasses import dataclass
from typing import Any, Literal

from actors import Codec, Question, Refusal
from ucr.config.model import Config
from ucr.control import ReloadResult
from ucr.store_spec import StoreAddress
from ucr.views import Gathered, WorkerView


@dataclass(frozen=True, slots=True)
class Applied:
    """The worker serves this generation of the configuration."""

    generation: int


class Rejected(Refusal):
    """The worker could not take a configuration over and serves the one that it had, if any."""


@dataclass(frozen=True, slots=True)
class Reconfigure(Question[Applied]):
    """To a worker: serve this. Refused with `Rejected`. `store` counts in a worker's first configuration only."""

    generation: int
    config: Config
    store: StoreAddress | None = None


@dataclass(frozen=True, slots=True)
class Drain:
    """To a worker: take nothing new, give what is open this long, and end."""

    grace_s: float


@dataclass(frozen=True, slots=True)
class Beat:
    """To the parent, each second: the worker's loop turns."""


@dataclass(frozen=True, slots=True)
class Totals:
    """To the parent, each second: what the worker has counted so far, in case that it is the last word."""

    view: WorkerView


@dataclass(frozen=True, slots=True)
class TakeView(Question[WorkerView]):
    """To a worker: say how things are now."""


@dataclass(frozen=True, slots=True)
class Gather(Question[Gathered]):
    """To the parent: ask all workers how things are."""


@dataclass(frozen=True, slots=True)
class ReloadNow(Question[ReloadResult]):
    """To the parent: read the configuration again."""


@dataclass(frozen=True, slots=True)
class ClearCache(Question[int]):
    """To the parent: empty the caches of all workers. To a worker: empty its cache. Both say how many it were.

    With a tag only what has it is forgotten.
    """

    tag: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderFact:
    """To and from workers: what one of them found out about a provider's key is true for all of them."""

    provider: str
    kind: Literal["rate_limit", "quota", "auth"]
    key: int
    remaining_s: float


@dataclass(frozen=True, slots=True)
class RemedyFound:
    """To and from workers: what one of them found out that a provider's model refuses, all of them need not try.

    The last three are those of a `ucr.remedies.Remedy`.
    """

    provider: str
    model: str
    kind: str
    path: tuple[str, ...]
    value: Any = None


Lesson = ProviderFact | RemedyFound
"""What one worker has learned for all."""


@dataclass(frozen=True, slots=True)
class Listening:
    """To the parent, each second: somebody listens to the live feed in this worker."""


@dataclass(frozen=True, slots=True)
class Tune:
    """To a worker, as often: somebody listens in another one; pass on what is logged."""


@dataclass(frozen=True, slots=True)
class Lines:
    """To and from workers: what was logged, for those who listen. Texts of JSON without their ends of line."""

    lines: tuple[str, ...]


ToWorker = Reconfigure | Drain | TakeView | ClearCache | Lesson | Tune | Lines
ForAll = Gather | ReloadNow | ClearCache | Lesson | Listening | Lines
"""What a worker tells the parent because it concerns others."""

ToParent = Beat | Totals | ForAll

CODEC = Codec(
    (
        Applied,
        Reconfigure,
        Drain,
        Beat,
        Totals,
        TakeView,
        Gather,
        ReloadNow,
        ClearCache,
        ProviderFact,
        RemedyFound,
        Listening,
        Tune,
        Lines,
        WorkerView,
        Gathered,
        ReloadResult,
    ),
    (Rejected,),
)
