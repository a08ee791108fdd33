"""Targets of failing providers and leaving clients: fallback, fast refusals, few calls, quick recovery."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import trio

from ucr.stress.real.load import Line, Load, Shot, having, open_line, post, until
from ucr.stress.real.report import quantile
from ucr.stress.real.router import Router, Served, configuration
from ucr.stress.real.run import Run
from ucr.stress.real.upstream import Mood, Upstream

SETTLING_S: Mapping[str, float] = MappingProxyType({"refuses": 2.0, "answers 503": 2.0, "hangs": 5.0})
"""After this time of an outage every worker's breaker must be open; a call that hangs fails after a second."""
LEAVERS = 200
BUDGET_FLOOR = 3
"""So many calls may each worker repeat beyond its share, so that a router with little to do repeats any at all."""
NO_BREAKER = "[providers.breaker]\nenabled = false"
"""An open breaker would hide how often failed calls are repeated."""


async def with_fallback(run: Run) -> None:
    """R4: while the first provider is down its requests go to the second, and soon cost nothing more."""
    for name in ("refuses",) if run.short else ("refuses", "answers 503", "hangs"):
        async with run.upstreams("alpha", "beta") as (alpha, beta):
            text = configuration(Served(alpha, more="first_byte_s = 1"), Served(beta, "openai-chat"))
            async with run.router(text) as router, run.loaded(router) as load:
                base, after = await _outage(run, load, alpha, name)
        shots = [shot for shot in load.shots if shot.sent_at >= after[0]]
        opened = [shot for shot in shots if shot.sent_at >= after[0] + SETTLING_S[name]]
        bound = base + 0.05 * run.report.patience
        worst = quantile(_latencies(opened), 0.99)
        run.report.share("R4", f"ok, the first provider {name}", _ok_share(shots), 0.999, len(shots))
        run.report.time("R4", "p99 once open", worst, bound / run.report.patience, len(opened))
        run.report.told("R4", "p99 before", f"{base * 1000:.0f} ms", len(load.shots) - len(shots))
        run.report.count(
            "R4", "lost or crossed", len(having(load.shots, "lost", "crossed")), 0, len(load.shots)
        )


async def without_fallback(run: Run) -> None:
    """R5: with one provider and that one down, the refusal is quick and says when to come back."""
    for name in ("refuses", "answers 503"):
        async with run.upstreams("alpha") as (alpha,):
            text = configuration(Served(alpha))
            async with run.router(text) as router, run.loaded(router) as load:
                _, after = await _outage(run, load, alpha, name)
        shots = [shot for shot in load.shots if after[0] <= shot.sent_at < after[1]]
        opened = [shot for shot in shots if shot.sent_at >= after[0] + SETTLING_S[name]]
        wrong = [shot for shot in opened if shot.status != 529 or not shot.retry_after.isdecimal()]
        report = run.report
        report.count("R5", f"no 529 with retry-after, the provider {name}", len(wrong), 0, len(opened))
        report.time(
            "R5", "p99 of the refusals once open", quantile(_latencies(opened), 0.99), 0.05, len(opened)
        )
        report.count("R5", "lost or crossed", len(having(load.shots, "lost", "crossed")), 0, len(load.shots))
        if name != "refuses":
            asked = sum(alpha.calls[shot.mark] for shot in shots)
            report.ratio("R5", "calls of the provider for each request", asked / len(shots), 0.1, len(shots))
        for shot in wrong[:3]:
            report.note(str(shot))


async def _outage(run: Run, load: Load, upstream: Upstream, name: str) -> tuple[float, tuple[float, float]]:
    """Measure the p99 before an outage, then let it last; return that and when it began and ended."""
    await load.wait_shots(50)
    begun = trio.current_time()
    await trio.sleep(run.pick(5.0, 2.0))
    base = quantile(_latencies(shot for shot in load.shots if shot.sent_at >= begun), 0.99)
    start = trio.current_time()
    run.timeline.mark("outage")
    match name:
        case "refuses":
            upstream.fall()
        case "hangs":
            upstream.mood = Mood("hang")
        case _:
            upstream.mood = Mood("status", 503)
    await trio.sleep(run.pick(15.0, 5.0))
    return base, (start, trio.current_time())


async def amplification(run: Run) -> None:
    """R6: a provider that fails three calls of ten is not asked much more often for it."""
    async with run.upstreams("alpha") as (alpha,):
        alpha.mood = Mood("status", 503, share=0.3)
        text = configuration(Served(alpha, more=NO_BREAKER))
        async with run.router(text) as router, run.loaded(router) as load:
            await trio.sleep(run.pick(20.0, 6.0))
    _report_calls(run, load.shots, (alpha,), "one provider", 1.2)
    async with run.upstreams("alpha", "beta") as (alpha, beta):
        alpha.mood = Mood("status", 503, share=0.3)
        text = configuration(Served(alpha), Served(beta))
        async with run.router(text) as router, run.loaded(router) as load:
            await trio.sleep(run.pick(20.0, 6.0))
    _report_calls(run, load.shots, (alpha, beta), "a second provider", 1.6)
    run.report.share("R6", "ok with a second provider", _ok_share(load.shots), 0.99, len(load.shots))


def _report_calls(run: Run, shots: list[Shot], asked: tuple[Upstream, ...], what: str, most: float) -> None:
    calls = [sum(upstream.calls[shot.mark] for upstream in asked) for shot in shots]
    floor = BUDGET_FLOOR * max(1, run.workers) / len(shots)
    run.report.ratio("R6", f"calls for each request, {what}", sum(calls) / len(shots), most + floor, len(shots))
    run.report.count("R6", f"most calls for one request, {what}", max(calls), 3, len(shots))
    run.report.count("R6", "lost or crossed", len(having(shots, "lost", "crossed")), 0, len(shots))
    run.report.told("R6", f"ok, {what}", f"{_ok_share(shots):.1%}", len(shots))


async def leaving(run: Run) -> None:
    """R7: two hundred clients leave; their provider hears it, and nothing stays in flight."""
    async with run.upstreams("alpha") as (alpha,), run.router(configuration(Served(alpha))) as router:
        noticed = await leave(run, router, LEAVERS, alpha)
        await trio.sleep(2.0)
        flying = in_flight(await router.json("/v1/providers"))
    report = run.report
    report.count("R7", "calls that the provider was not relieved of", LEAVERS - len(noticed), 0, LEAVERS)
    report.time("R7", "longest time until the provider saw it", max(noticed, default=0.0), 1.0, len(noticed))
    report.count("R7", "in flight two seconds later", flying, 0, LEAVERS)


async def leave(run: Run, router: Router, count: int, *asked: Upstream) -> list[float]:
    """Let clients come and leave amid their answers; return how long after each its provider saw it."""
    run.timeline.mark("leavers")
    lines, left = list[tuple[str, Line]](), dict[str, float]()
    async with trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(_join, run, router, number, lines)
    await trio.sleep(0.3)
    for number, (mark, line) in enumerate(lines):
        left[mark] = trio.current_time()
        if number % 2:
            line.reset()
        else:
            line.stream.socket.close()
    with trio.move_on_after(10):
        await until(lambda: left.keys() <= _seen(asked).keys())
    seen = _seen(asked)
    return [seen[mark] - at for mark, at in left.items() if mark in seen]


def _seen(asked: Iterable[Upstream]) -> dict[str, float]:
    return {mark: at for upstream in asked for mark, at in upstream.left_at.items()}


async def _join(run: Run, router: Router, number: int, lines: list[tuple[str, Line]]) -> None:
    """Ask for a long answer: three of four are streams, whose beginning is read."""
    mark, line, stream = run.marks.next(), await open_line(router.port), number % 4 != 3
    await line.stream.send_all(post(mark, stream=stream, model="m", orders="pieces=600 pause=0.2"))
    if stream:
        await line.stream.receive_some(1024)
    lines.append((mark, line))


def in_flight(view: Any) -> int:
    """Add up what `GET /v1/providers` says is in flight and waits."""
    providers = view["providers"] if isinstance(view, dict) and "providers" in view else view["data"]
    return sum(_number(entry, "in_flight") + _number(entry, "waiting") for entry in providers)


def _number(entry: dict[str, Any], name: str) -> int:
    return int(entry.get(name) or entry.get("status", {}).get(name) or 0)


async def recovery(run: Run) -> None:
    """R8: after an outage the first good answer comes within the reset interval, and then all of them."""
    reset_s = run.pick(10.0, 3.0)
    more = f"[providers.breaker]\nreset_s = {reset_s}"
    async with run.upstreams("alpha") as (alpha,):
        text = configuration(Served(alpha, more=more))
        async with run.router(text) as router, run.loaded(router) as load:
            await load.wait_shots(50)
            begun = trio.current_time()
            await trio.sleep(run.pick(5.0, 2.0))
            rate = _rate(load.shots, begun, trio.current_time())
            run.timeline.mark("outage")
            alpha.fall()
            await trio.sleep(reset_s * 0.6)
            alpha.rise()
            risen = trio.current_time()
            await trio.sleep(reset_s + 8)
    good = sorted(shot.finished_at for shot in having(load.shots, "ok") if shot.finished_at > risen)
    first_s = (good[0] if good else trio.current_time()) - risen
    full = _rate(load.shots, risen + first_s + 5, risen + first_s + 7)
    errors = [shot for shot in having(load.shots, "error") if shot.sent_at > risen + first_s + 5]
    report = run.report
    least = 0.8 / report.patience
    report.time("R8", f"first good answer, the reset interval is {reset_s:.0f} s", first_s, reset_s + 1, 1)
    report.count("R8", "errors later than five seconds after it", len(errors), 0, len(load.shots))
    report.share("R8", "rate five seconds after it, of the rate before", full / rate, least, len(load.shots))
    report.count("R8", "lost or crossed", len(having(load.shots, "lost", "crossed")), 0, len(load.shots))


def _rate(shots: list[Shot], start: float, end: float) -> float:
    return len([shot for shot in having(shots, "ok") if start <= shot.finished_at < end]) / (end - start)


def _ok_share(shots: list[Shot]) -> float:
    return len(having(shots, "ok")) / max(1, len(shots))


def _latencies(shots: Iterable[Shot]) -> list[float]:
    return [shot.latency_s for shot in shots if shot.verdict in ("ok", "error")]
