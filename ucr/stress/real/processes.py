"""Targets of the processes: kills, reloads, the way down, a stopped worker, a crash loop, the start."""

import signal
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import trio

from ucr.stress.real.load import Load, Plan, Shot, having, longest_gap_s, open_line, post, shoot, until
from ucr.stress.real.report import Report, quantile, said
from ucr.stress.real.router import (
    Router,
    Served,
    configuration,
    files_under,
    is_alive,
    is_refused,
    left_over,
    processor_s,
    send,
)
from ucr.stress.real.run import Run

TORN_LIMIT_S = 10.0
"""How long half a configuration stands in the file, at most, until it is read."""
DEADLY = (signal.SIGKILL, signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT)
LOST_GRACE_S = 0.1
"""A killed process needs a moment to be gone: what was sent to it meanwhile was in flight in it as well."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker that was killed: when, how long until its slot was ready again, and whether the log names the signal."""

    slot: str
    at: float
    back_s: float
    in_flight: frozenset[str]
    is_told: bool


async def kills(run: Run) -> None:
    """R1: a killed worker costs what was in flight in it; a killed store costs nothing."""
    dice = run.dice("R1")
    async with run.upstreams("alpha") as (alpha,):
        text = configuration(Served(alpha))
        async with run.router(text) as router, run.loaded(router, Plan(orders="pieces=6 pause=0.01")) as load:
            await load.wait_shots(50)
            done = [
                await _one_kill(
                    run, router, load, dice.choice(sorted(router.workers())), DEADLY[number % len(DEADLY)]
                )
                for number in range(run.times(20, 5))
            ]
            _report_kills(run, load, done)
            if (store := router.store()) is not None:
                await _kill_store(run, router, load, store)
        run.report.count("R1", "requests crossed", len(having(load.shots, "crossed")), 0, len(load.shots))


async def _one_kill(run: Run, router: Router, load: Load, slot: str, deadly: signal.Signals) -> Kill:
    run.timeline.mark("kill")
    kill = await kill_worker(router, load, slot, deadly)
    await trio.sleep(1.0)
    return kill


async def kill_worker(router: Router, load: Load, slot: str, deadly: signal.Signals) -> Kill:
    """Kill the worker of a slot, and wait until another one is ready in its place."""
    pid, at, since = router.workers()[slot], trio.current_time(), len(router.log)
    in_flight = frozenset(mark for mark, (_, worker) in load.pending.items() if worker in ("", slot))
    send(pid, deadly)
    ready = await router.wait_event("worker.ready", since)
    back_s = ready.at - at
    is_told = any(line.fields.get("signal") == deadly.name for line in router.log[since:])
    return Kill(slot, at, back_s, in_flight, is_told)


def _report_kills(run: Run, load: Load, done: list[Kill]) -> None:
    report, shots = run.report, load.shots
    lost = having(shots, "lost")
    excused = [shot for shot in lost if any(was_in_flight(shot, kill) for kill in done)]
    gaps = [longest_gap_s(shots, kill.at, kill.at + 1.0 + kill.back_s) for kill in done]
    report.told("R1", "requests lost in killed workers", str(len(excused)), len(shots))
    report.count("R1", "requests lost beyond those", len(lost) - len(excused), 0, len(shots))
    report.count(
        "R1", "kills that the log does not tell of", sum(not kill.is_told for kill in done), 0, len(done)
    )
    report.count("R1", "errors", len(having(shots, "error")), 0, len(shots))
    report.time("R1", "longest gap without an answer", max(gaps), 1.0, len(done))
    report.told(
        "R1", "median time to full strength", said(quantile([kill.back_s for kill in done], 0.5)), len(done)
    )
    report.time("R1", "longest time to full strength", max(kill.back_s for kill in done), 2.0, len(done))
    show_wrong(report, (shot for shot in shots if shot not in excused))
    for kill, gap_s in zip(done, gaps, strict=True):
        report.note(f"slot {kill.slot}: gap {said(gap_s)}, back after {said(kill.back_s)}")


def was_in_flight(shot: Shot, kill: Kill) -> bool:
    """True for a request that the killed worker had, or was being sent when it died."""
    is_near = shot.sent_at <= kill.at + LOST_GRACE_S and kill.at <= shot.finished_at <= kill.at + 1.0
    return is_near and (shot.mark in kill.in_flight or shot.worker in ("", kill.slot))


async def _kill_store(run: Run, router: Router, load: Load, store: int) -> None:
    before, at = len(load.shots), trio.current_time()
    run.timeline.mark("kill of the store")
    send(store, signal.SIGKILL)
    await until(lambda: router.store() not in (None, store))
    back_s = trio.current_time() - at
    await load.wait_shots(200)
    shots = load.shots[before:]
    run.report.count(
        "R1", "not ok after the store was killed", len(shots) - len(having(shots, "ok")), 0, len(shots)
    )
    run.report.time("R1", "a new store process after", back_s, 2.0, 1)


async def reloads(run: Run) -> None:
    """R2: the file is rewritten with other providers, again and again, and no request notices."""
    count, stale, latest = run.times(50, 6), 0, ""
    async with run.upstreams("alpha", "beta") as (alpha, beta):
        plain = configuration(Served(alpha, id="only"))
        async with run.router(plain) as router, run.loaded(router, Plan(clients=8, orders="pieces=6")) as load:
            await load.wait_shots(30)
            start = trio.current_time()
            for number in range(count):
                chosen, other = (beta, alpha) if number % 2 == 0 else (alpha, beta)
                text = configuration(Served(chosen, id="only"), Served(other, id=f"spare-{number}"))
                since = len(router.log)
                run.timeline.mark("reload")
                await _rewrite(router, text, torn=number % 5 == 4)
                with trio.fail_after(20):
                    await router.wait_event("config.applied", since)
                applied, latest = trio.current_time(), chosen.name
                await trio.sleep(0.2)
                stale += sum(
                    shot.server not in ("", latest) for shot in load.shots if shot.sent_at > applied + 0.02
                )
            end, rejected = trio.current_time(), len(router.events("config.rejected"))
    shots, report = load.shots, run.report
    torn = len(range(4, count, 5))
    report.count("R2", "half-written files that were not rejected", max(0, torn - rejected), 0, torn)
    report.count("R2", "requests lost", len(having(shots, "lost")), 0, len(shots))
    report.count("R2", "errors", len(having(shots, "error")), 0, len(shots))
    report.count("R2", "requests crossed", len(having(shots, "crossed")), 0, len(shots))
    report.count("R2", "answered by a provider of an older file", stale, 0, len(shots))
    report.time("R2", "longest gap without an answer", longest_gap_s(shots, start, end), 0.5, count)


async def _rewrite(router: Router, text: str, *, torn: bool) -> None:
    """Replace the file at once, or in two pieces of which the first is read alone: it ends within a text."""
    if not torn:
        fresh = router.file.with_suffix(".new")
        fresh.write_text(text, "utf-8")
        fresh.replace(router.file)
        return
    cut, since = text.rindex('"'), len(router.log)
    router.file.write_text(text[:cut], "utf-8")
    with trio.move_on_after(TORN_LIMIT_S):
        await router.wait_event("config.rejected", since)
    router.file.write_text(text, "utf-8")


async def replacements(run: Run) -> None:
    """USR2: every worker is replaced by a new one, and no request notices."""
    rounds = run.times(5, 2)
    async with (
        run.upstreams("alpha") as (alpha,),
        run.router(configuration(Served(alpha))) as router,
        run.loaded(router, Plan(orders="pieces=20 pause=0.02")) as load,
    ):
        await load.wait_shots(30)
        start = trio.current_time()
        for _ in range(rounds):
            old = set(router.workers().values())
            run.timeline.mark("replacement")
            router.signal(signal.SIGUSR2)
            with trio.fail_after(60):
                await until(partial(are_gone, router, old))
        end = trio.current_time()
    report, shots = run.report, load.shots
    report.count("USR2", "not ok", len(shots) - len(having(shots, "ok")), 0, len(shots))
    report.time("USR2", "longest gap without an answer", longest_gap_s(shots, start, end), 0.5, rounds)
    show_wrong(report, shots)


def are_gone(router: Router, pids: set[int]) -> bool:
    return pids.isdisjoint(router.children())


def show_wrong(report: Report, shots: Iterable[Shot], most: int = 5) -> None:
    """Note some of the requests that did not go well, to find out why."""
    for shot in [shot for shot in shots if shot.verdict != "ok"][:most]:
        report.note(str(shot))


async def way_down(run: Run) -> None:
    """R3: SIGTERM with running streams and with clients that do not read."""
    grace_s, shots = 5.0, list[Shot]()
    async with (
        run.upstreams("alpha") as (alpha,),
        run.router(configuration(Served(alpha), grace_s=grace_s)) as router,
    ):
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(_streaming, run, router, shots)
            for _ in range(5):
                nursery.start_soon(_stalled, run, router, router.port)
            await trio.sleep(1.5)
            router.children()
            at = trio.current_time()
            router.signal(signal.SIGTERM)
            status = await router.process.wait()
            took_s = trio.current_time() - at
            nursery.cancel_scope.deadline = trio.current_time() + 2
        left = [pid for pid in router.family if is_alive(pid)]
    report = run.report
    report.count("R3", "running streams not delivered whole", 20 - len(having(shots, "ok")), 0, 20)
    report.count("R3", "exit status", status, 0, 1)
    report.time("R3", "from SIGTERM to the exit", took_s, grace_s + 2, 1)
    report.count("R3", "processes left over", len(left), 0, 1)
    show_wrong(report, shots)


async def _streaming(run: Run, router: Router, shots: list[Shot]) -> None:
    shots.append(await shoot(router.port, run.marks, orders="pieces=30 pause=0.12"))


async def _stalled(run: Run, router: Router, port: int) -> None:
    """Ask for megabytes and read nothing of them."""
    line = await open_line(port, receive_buffer=4096)
    await line.stream.send_all(
        post(run.marks.next(), stream=True, model="m", orders="pieces=2000 pause=0 size=10000")
    )
    await trio.sleep_forever()


async def stopped_worker(run: Run) -> None:
    """R15: a worker that is stopped for five seconds slows nobody else, and says nothing twice."""
    async with (
        run.upstreams("alpha") as (alpha,),
        run.router(configuration(Served(alpha))) as router,
        run.loaded(router) as load,
    ):
        await load.wait_shots(50)
        start = trio.current_time()
        await trio.sleep(run.pick(5.0, 2.5))
        at = trio.current_time()
        run.timeline.mark("stop")
        slot, pid = run.dice("R15").choice(sorted(router.workers().items()))
        send(pid, signal.SIGSTOP)
        try:
            await trio.sleep(5.0)
        finally:
            send(pid, signal.SIGCONT)
        end = trio.current_time()
        await trio.sleep(2.0)
    shots, report = load.shots, run.report
    base = quantile(_latencies(shot for shot in shots if start <= shot.sent_at < at), 0.99)
    meanwhile = [shot for shot in shots if at <= shot.sent_at < end and shot.worker != slot]
    worst = quantile(_latencies(meanwhile), 0.99)
    report.told("R15", "p99 before", f"{base * 1000:.0f} ms", len(shots))
    report.time("R15", "p99 of the other workers meanwhile", worst, 2 * base, len(meanwhile))
    report.count("R15", "not ok", len(shots) - len(having(shots, "ok")), 0, len(shots))
    twice = sum(calls > 1 for calls in alpha.calls.values())
    report.count("R15", "requests asked twice of the provider", twice, 0, len(shots))


def _latencies(shots: Iterable[Shot]) -> list[float]:
    return [shot.latency_s for shot in shots if shot.verdict == "ok"]


async def crash_loop(run: Run) -> None:
    """R17: the worker of slot 0 is killed whenever it appears; the others serve, and the parent keeps calm."""
    seconds, restarts, seen = run.pick(60.0, 15.0), 0, set[int]()
    async with (
        run.upstreams("alpha") as (alpha,),
        run.router(configuration(Served(alpha))) as router,
        run.loaded(router) as load,
    ):
        await load.wait_shots(30)
        start, used = trio.current_time(), processor_s(router.pid)
        while trio.current_time() < start + seconds:
            pid = router.workers().get("0")
            if pid is not None and pid not in seen:
                seen.add(pid)
                run.timeline.mark("kill")
                send(pid, signal.SIGKILL)
            await trio.sleep(0.05)
        end, share = trio.current_time(), (processor_s(router.pid) - used) / seconds
        restarts = len(seen) - 1
        lived = is_alive(router.pid)
    shots, report = load.shots, run.report
    report.count("R17", f"restarts in {seconds:.0f} s", restarts, 10, 1)
    report.fact("R17", "the slot was restarted at all", restarts > 0)
    report.fact("R17", "the parent lives", lived)
    report.ratio("R17", "processor share of the parent", share, 0.2, 1)
    report.time("R17", "longest gap without an answer", longest_gap_s(shots, start, end), 1.0, len(shots))
    report.count("R17", "errors", len(having(shots, "error", "crossed")), 0, len(shots))
    report.count("R17", "lost, beyond those in the killed workers", _unexcused(shots), 0, len(shots))


def _unexcused(shots: list[Shot]) -> int:
    return sum(shot.worker not in ("", "0") for shot in having(shots, "lost"))


async def start_and_end(run: Run) -> None:
    """R19: ready within two seconds, and nothing is left at the end."""
    async with run.upstreams("alpha") as (alpha,):
        at = trio.current_time()
        async with run.router(configuration(Served(alpha))) as router:
            ready_s = trio.current_time() - at
            shot = await shoot(router.port, run.marks)
            router.children()
            at = trio.current_time()
            router.signal(signal.SIGTERM)
            status = await router.process.wait()
            took_s = trio.current_time() - at
            left = [*left_over(router)]
            files = list(files_under(router.folder))
            refused = is_refused(router.port)
    report = run.report
    report.time("R19", "from the start to ready", ready_s, 2.0, 1)
    report.fact("R19", "the first request is answered", shot.verdict == "ok")
    report.count("R19", "exit status", status, 0, 1)
    report.time("R19", "from SIGTERM to the exit, idle", took_s, 2.0, 1)
    report.count("R19", "processes left over", len(left), 0, 1)
    report.count("R19", "sockets and pid files left over", len(files), 0, 1)
    report.fact("R19", "the port is free", refused)
