"""Micro-benchmarks: what the parts of a request take alone, call by call, in one process without a network.

Each call is timed by itself, so that percentiles are of calls and not of means. The clock's own 50 ns or so are within.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

import trio
from bench_bodies import DIGITS, MARK, Dialect, answer, body

from actors import Cache, CacheSpec, Fill, Lookup, open_supervisor
from actors.lookup import Store
from ucr.cache_key import Keys
from ucr.catalogue import Quirks
from ucr.config.load import load
from ucr.config.model import TASKS, Config, ModelTarget
from ucr.decision import Decisions
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.crossing import Crossing
from ucr.dialects.openai_chat.provider import OpenAIChatProvider
from ucr.dialects.roles import Request, Target
from ucr.estimate import estimate, quick_estimate
from ucr.routing import plan
from ucr.stress.real.report import quantile

SECRET = bytes(32)
PROVIDER = """
[[providers]]
id = "p{number}"
dialect = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
default_model = "m{number}"
models = ["m{number}", "n{number}"]
"""
PROVIDERS = 10


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of single calls, in µs."""

    name: str
    calls: int
    avg: float
    min: float
    p50: float
    p95: float
    p99: float
    max: float


def timing(name: str, times_ns: Iterable[int]) -> Timing:
    """Return what is told of the times of calls; there is at least one."""
    times = sorted(time_ns / 1000 for time_ns in times_ns)
    avg = sum(times) / len(times)
    middle, late, latest = (quantile(times, share) for share in (0.5, 0.95, 0.99))
    return Timing(name, len(times), avg, times[0], middle, late, latest, times[-1])


def micro(calls: int) -> list[Timing]:
    """Time every part this many times; those of large bodies a tenth as often."""
    return [*(timed(name, call, count) for name, call, count in parts(calls)), *trio.run(_cache_times, calls)]


def timed(name: str, call: Callable[[], object], calls: int) -> Timing:
    """Time a function, after some calls that do not count."""
    for _ in range(max(1, calls // 10)):
        call()
    times = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return timing(name, times)


def parts(calls: int) -> list[tuple[str, Callable[[], object], int]]:
    """Return name, function and number of calls of everything that is no actor's."""
    client, provider = AnthropicClient(), OpenAIChatProvider()
    target = Target("bench", "m", "http://127.0.0.1:1/v1", Quirks())
    small, large = numbered("anthropic", "small"), numbered("anthropic", "large")
    asked, asked_large = client.parse(small, {}), client.parse(large, {})
    streaming = client.parse(numbered("anthropic", "small", stream=True), {})
    context = provider.build(client.canonical(asked), asked, target).context
    reply = provider.decode_reply(answer("openai-chat", stream=False), context)
    whole, stream = answer("openai-chat", stream=False), answer("openai-chat", stream=True)
    keys, config = Keys(SECRET), _config()
    tasks = {task: (ModelTarget("p1"),) for task in TASKS}
    by_name = Decisions(config)
    by_task = Decisions(replace(config, router=replace(config.router, tasks=tasks)))
    choices = plan(config, "claude-opus-5-5")
    few = max(1, calls // 10)
    return [
        ("cache key, small body", lambda: keys.of(asked, choices, "client"), calls),
        ("cache key, 65 kB", lambda: keys.of(asked_large, choices, "client"), few),
        ("token count on the path, 65 kB", lambda: quick_estimate(large), few),
        ("token count of count_tokens, small body", lambda: estimate(asked.body, "anthropic"), calls),
        ("token count of count_tokens, 65 kB", lambda: estimate(asked_large.body, "anthropic"), few),
        (f"routing plan, {PROVIDERS} providers", lambda: plan(config, "claude-opus-5-5"), calls),
        ("routing decision", lambda: by_name.decide(asked), calls),
        ("routing decision with routes for all tasks, small body", lambda: by_task.decide(asked), calls),
        ("routing decision with routes for all tasks, 65 kB", lambda: by_task.decide(asked_large), few),
        ("parse, small body", lambda: client.parse(small, {}), calls),
        ("parse, 65 kB", lambda: client.parse(large, {}), few),
        ("build, small body", lambda: provider.build(client.canonical(asked), asked, target), calls),
        ("build, 65 kB", lambda: provider.build(client.canonical(asked_large), asked_large, target), few),
        ("decode reply", lambda: provider.decode_reply(whole, context), calls),
        ("encode reply", lambda: client.encode_reply(reply, asked), calls),
        ("decode stream of 40 events", lambda: provider.decoder(context).feed(stream), few),
        (
            "decode and encode stream of 40 events",
            lambda: _cross(provider, client, streaming, target, stream),
            few,
        ),
    ]


def _cross(
    provider: OpenAIChatProvider, client: AnthropicClient, request: Request, target: Target, stream: bytes
) -> bytes:
    context = provider.build(client.canonical(request), request, target).context
    return Crossing(provider.decoder(context), client, request, context).feed(stream)


def numbered(dialect: Dialect, size: str, *, stream: bool = False) -> bytes:
    """Return a body with a number in its place."""
    found = body(dialect, "large" if size == "large" else "small", stream=stream)
    return found.replace(MARK.encode(), b"0" * DIGITS)


def _config() -> Config:
    text = "".join(PROVIDER.format(number=number) for number in range(PROVIDERS))
    return load(f'[router]\ndefault = ["p0", "p1"]\n{text}', "ucr.toml", {})


async def _cache_times(calls: int) -> list[Timing]:
    """Time the actor: each set is a lookup that finds nothing and the telling of an entry."""
    entry = answer("openai-chat", stream=False)
    numbers = iter(range(10**9))
    async with open_supervisor() as supervisor:
        cache = await supervisor.start(Cache(CacheSpec(max_entries=500)))

        async def store() -> None:
            found = await cache.ref.ask(Lookup(next(numbers).to_bytes(32, "big")))
            if isinstance(found, Fill):
                cache.ref.tell(Store(found.ticket, entry))

        async def get() -> None:
            await cache.ref.ask(Lookup(key))

        key = next(numbers).to_bytes(32, "big")
        if isinstance(found := await cache.ref.ask(Lookup(key)), Fill):
            cache.ref.tell(Store(found.ticket, entry))
        hits = await _timed("cache get, a hit", get, calls)
        return [await _timed("cache set, after a miss", store, calls), hits]


async def _timed(name: str, call: Callable[[], Awaitable[None]], calls: int) -> Timing:
    times = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        await call()
        times.append(time.perf_counter_ns() - start)
    return timing(name, times)
