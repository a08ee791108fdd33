"""Targets of connections that are held open, and of bodies as large as they may be."""

import json
import subprocess
import sys
from dataclasses import dataclass, field

import trio

from ucr.stress.real.load import Line, open_line
from ucr.stress.real.report import quantile
from ucr.stress.real.router import Router, Served, configuration, environment
from ucr.stress.real.run import Run
from ucr.stress.real.upstream import LOOPBACK

PROBE = "ucr.stress.real.probe"
HEAD = f"POST /v1/messages HTTP/1.1\r\nhost: {LOOPBACK}\r\ncontent-type: application/json\r\n".encode()
HEALTHY_S = 0.1
KEPT_S = 12.0
"""`server.keep_alive_s` of the configuration."""
LARGE_BYTES = 30 * 1024 * 1024
SENDERS = 3
"""Three bodies at a time stay below the bytes that a worker holds at once."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A way of holding connections: how many, what is sent, and when they must be over."""

    name: str
    count: int
    start: bytes
    drop: bytes
    within_s: float


IDLE = Kind("idle", 200, b"", b"", KEPT_S)
HEADS = Kind("heads in drips", 100, HEAD, b"x", 10.0)
BODIES = Kind("bodies that stop", 100, HEAD + b"content-length: 1000\r\n\r\n{", b"", 30.0)
LATE_S = 2.0
"""How much later than it should a connection may be cut."""


@dataclass(slots=True)
class Held:
    """When connections were ended, in seconds after their beginning."""

    ends: dict[str, list[float]] = field(default_factory=dict)


async def slow_clients(run: Run) -> None:
    """R13: hundreds of slow connections slow nobody down, and each is cut in time."""
    kinds = (IDLE, HEADS) if run.short else (IDLE, HEADS, BODIES)
    held = Held({kind.name: [] for kind in kinds})
    async with run.upstreams("alpha") as (alpha,):
        text = configuration(Served(alpha)).replace("[server]", f"[server]\nkeep_alive_s = {KEPT_S:g}", 1)
        async with run.router(text) as router, trio.open_nursery() as nursery:
            for kind in kinds:
                for _ in range(kind.count):
                    nursery.start_soon(_hold, router, kind, held.ends[kind.name])
            times = await probed(router, 8.0, 0.02)
    report = run.report
    report.time("R13", "p95 of a healthy client beside them", quantile(times, 0.95), HEALTHY_S, len(times))
    for kind in kinds:
        ends = held.ends[kind.name]
        report.count("R13", f"{kind.name}: not cut in time", kind.count - len(ends), 0, kind.count)
        report.time("R13", f"{kind.name}: the last was cut after", max(ends), kind.within_s + LATE_S, len(ends))


async def _hold(router: Router, kind: Kind, ends: list[float]) -> None:
    """Hold a connection open until it is ended."""
    line = await open_line(router.port)
    began = trio.current_time()
    async with line.stream, trio.open_nursery() as nursery:
        nursery.start_soon(drip, line, kind)
        with trio.move_on_after(3 * (kind.within_s + LATE_S)):
            try:
                while await line.stream.receive_some(4096):
                    pass
            except trio.BrokenResourceError:
                pass
            ends.append(trio.current_time() - began)
        nursery.cancel_scope.cancel(reason="ended")


async def drip(line: Line, kind: Kind) -> None:
    try:
        if kind.start:
            await line.stream.send_all(kind.start)
        while kind.drop:
            await trio.sleep(1)
            await line.stream.send_all(kind.drop)
    except trio.BrokenResourceError:
        return


async def probed(router: Router, seconds: float, pause_s: float) -> list[float]:
    """Ask for health from another process, so that what else happens here counts for nothing."""
    command = [sys.executable, "-P", "-m", PROBE, str(router.port), str(seconds), str(pause_s)]
    done = await trio.run_process(
        command, capture_stdout=True, stdin=subprocess.DEVNULL, env=environment(router.folder)
    )
    return [float(value) for value in json.loads(done.stdout)]


async def large_bodies(run: Run) -> None:
    """R14: while bodies of nearly 32 MiB arrive, the loop of the one worker turns on."""
    seconds = run.pick(15.0, 6.0)
    statuses = list[int]()
    async with (
        run.upstreams("alpha") as (alpha,),
        run.router(configuration(Served(alpha)), workers=1) as router,
        trio.open_nursery() as nursery,
    ):
        for _ in range(SENDERS):
            nursery.start_soon(_send_large, router, statuses)
        times = await probed(router, seconds, 0.01)
        nursery.cancel_scope.cancel(reason="measured")
    report = run.report
    report.time("R14", "p99 of /health meanwhile", quantile(times, 0.99), HEALTHY_S, len(times))
    report.told("R14", "longest /health meanwhile", f"{max(times) * 1000:.0f} ms", len(times))
    refused = [status for status in statuses if status not in (200, 529)]
    report.count("R14", "large requests not answered with 200 or 529", len(refused), 0, len(statuses))
    report.told("R14", "large requests answered well", str(statuses.count(200)), len(statuses))


async def _send_large(router: Router, statuses: list[int]) -> None:
    """Send one large body after the other."""
    words = "lorem ipsum dolor sit amet, consectetur adipiscing elit sed do eiusmod tempor\n" * (
        LARGE_BYTES // 78
    )
    turn = {"role": "user", "content": f"mark-00000000 {words}"}
    body = json.dumps({"model": "m", "max_tokens": 5, "messages": [turn]}).encode()
    request = HEAD + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    while True:
        line = await open_line(router.port)
        async with line.stream:
            statuses.append((await line.exchange(request)).status)
