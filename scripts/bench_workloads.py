"""The workloads of the benchmark, as data, and the budgets that some of them have."""

from dataclasses import dataclass, replace

from bench_bodies import Dialect, Size


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a request may cost: in processor time, and as a multiple of what nginx takes for the same."""

    cpu_us: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Workload:
    """What is asked, and through what. Without `unique` all requests have one body; `cache` turns UCR's on."""

    name: str
    title: str
    client: Dialect = "anthropic"
    provider: Dialect = "openai-chat"
    size: Size = "small"
    stream: bool = False
    unique: bool = True
    connections: int = 50
    workers: int = 1
    tls: bool = False
    cache: bool = False
    budget: Budget | None = None

    @property
    def is_translated(self) -> bool:
        return self.client != self.provider

    @property
    def is_plain(self) -> bool:
        """True for what every router is able to do: one worker, 50 connections, no TLS, no cache, new bodies."""
        is_usual = self.connections == 50 and self.workers == 1 and self.unique
        return is_usual and not self.tls and not self.cache


SMALL = Workload("small", "small body, translated", budget=Budget(130, 8))
LARGE = Workload("large", "Claude Code body of 65 kB, translated", size="large", budget=Budget(320, 10))
STREAM = Workload("stream", "stream of 40 events in one read, translated", stream=True, budget=Budget(220, 14))

CORE = (SMALL, LARGE, STREAM)
PASSED = tuple(
    replace(
        workload,
        name=f"pass-{workload.name}",
        title=workload.title.replace("translated", "passed through (Anthropic)"),
        provider="anthropic",
        budget=None,
    )
    for workload in CORE
)
CHAT = tuple(
    replace(
        workload,
        name=f"chat-{workload.name}",
        title=workload.title.replace("translated", "passed through (chat completions)"),
        client="openai-chat",
        budget=None,
    )
    for workload in CORE
)
TLS = tuple(
    replace(
        workload, name=f"tls-{workload.name}", title=f"{workload.title}, TLS upstream", tls=True, budget=None
    )
    for workload in CORE
)
TWO = tuple(
    replace(workload, name=f"two-{workload.name}", title=f"{workload.title}, 2 workers", workers=2, budget=None)
    for workload in CORE
)
REPEATED = tuple(
    replace(
        workload,
        name=f"same-{workload.name}",
        title=f"{workload.title}, one body repeated, no cache",
        unique=False,
        budget=None,
    )
    for workload in CORE
)
CACHED = (
    replace(
        SMALL, name="miss", title="small body, translated, cache on, every body new", cache=True, budget=None
    ),
    replace(
        SMALL, name="hit", title="small body from the cache", cache=True, unique=False, budget=Budget(70, 4.5)
    ),
    replace(
        SMALL,
        name="hit-store",
        title="small body from the cache of the store process, 2 workers",
        cache=True,
        unique=False,
        workers=2,
        budget=Budget(160, 10),
    ),
)
ONE = tuple(
    replace(
        workload,
        name=f"one-{workload.name}",
        title=f"{workload.title}, 1 connection",
        connections=1,
        budget=None,
    )
    for workload in CORE
)
SCALE = tuple(
    replace(
        SMALL, name=f"pool-{count}", title=f"{SMALL.title}, {count} connections", connections=count, budget=None
    )
    for count in (10, 100, 200, 1000)
)

WORKLOADS = (*CORE, *PASSED, *CHAT, *TLS, *TWO, *REPEATED, *CACHED, *ONE, *SCALE)
SHORT = tuple(workload.name for workload in CORE)
"""What the short form measures."""


@dataclass(frozen=True, slots=True)
class Paced:
    """Streams that are held open at the same time: each has 40 events, 50 ms from one to the next."""

    streams: int
    workers: int

    @property
    def name(self) -> str:
        return f"paced-{self.streams}"

    @property
    def title(self) -> str:
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        return f"{self.streams} streams of 20 events/s, translated, {workers}"


PACED = (Paced(20, 1), Paced(100, 1), Paced(500, 1), Paced(1000, 2))
SHORT_PACED = ("paced-100",)
