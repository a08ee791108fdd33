"""What it costs to see: the share of a request's processor time that goes into its log line and its measurements.

    python scripts/observe_cost.py [--requests N] [--rounds N]

A worker runs in this process; its client and its provider are another one. What ends a request (its log line, what
the metrics, the accounts and the journal are told), what their actors then do, and what streams note of their pauses are
timed on the spot, in processor time of this thread. The other threads of this process do nothing but write accounts and
journal into their files, so that all of their time is counted too. The sum is compared with the processor time of the
whole process in the same round: so a busy machine makes both larger, and changes the share little. The timing itself
is counted in.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trio

from actors import RealNetwork
from actors.metrics import MetricsActor
from ucr import listening
from ucr.books import BooksActor
from ucr.clerk import Clerk
from ucr.config.model import Cache, Config, ModelTarget, Provider, Router, Server
from ucr.journal.keeping import JournalActor
from ucr.logs import make_log
from ucr.observe.gaps import StreamGaps
from ucr.reporting import Reporter
from ucr.worker import open_worker

HOST = "127.0.0.1"
NOWHERE = Path("/dev/null")
EVENTS = 40
CLIENTS = 8
WRITTEN_S = 1.5
"""So long after its requests a round waits, until accounts and journal are in their files."""
SEEN = (
    *((Reporter, "report"), (Reporter, "tell"), (MetricsActor, "receive"), (StreamGaps, "saw")),
    *((Clerk, "_tell"), (BooksActor, "receive"), (JournalActor, "receive")),
)
"""What is done to be seen: at the end of a request, in the actors, in a stream, and once a second."""
_CHAT = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m"}
_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def answer(stream: bool) -> bytes:
    """Return the provider's answer, head and body: one message, or events that come in one piece."""
    if not stream:
        message = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
        return _response(
            "application/json", json.dumps({**_CHAT, "choices": [message], "usage": _USAGE}).encode()
        )
    deltas = [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}] * EVENTS
    chunks = [*deltas, {"index": 0, "delta": {}, "finish_reason": "stop"}]
    events = [{**_CHAT, "choices": [chunk]} for chunk in chunks] + [{**_CHAT, "choices": [], "usage": _USAGE}]
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    return _response("text/event-stream", body + b"data: [DONE]\n\n")


def _response(kind: str, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (
        kind.encode(),
        len(body),
        body,
    )


def request(stream: bool) -> bytes:
    """Return a client's request."""
    ask = {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "hi " * 80}]}
    body = json.dumps({**ask, "stream": stream}).encode()
    head = (
        b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: "
    )
    return head + b"%d\r\n\r\n%s" % (len(body), body)


async def other_end() -> None:
    """Be client and provider: print the provider's port, then obey lines of router's port, count and kind."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, _provide, 0)
        print(listeners[0].socket.getsockname()[1], flush=True)
        while line := await trio.to_thread.run_sync(sys.stdin.readline):
            port, count, kind = line.split()
            async with trio.open_nursery() as clients:
                for _ in range(CLIENTS):
                    clients.start_soon(_ask, int(port), int(count) // CLIENTS, kind == "stream")
            print("done", flush=True)
        nursery.cancel_scope.cancel(reason="nobody asks any more")


async def _provide(stream: trio.SocketStream) -> None:
    whole, events = answer(False), answer(True)
    with suppress(trio.BrokenResourceError):
        while data := await stream.receive_some():
            await stream.send_all(events if b'"stream":true' in data.replace(b" ", b"") else whole)


async def _ask(port: int, count: int, stream: bool) -> None:
    sent, ends = request(stream), b"0\r\n\r\n" if stream else b"}"
    async with await trio.open_tcp_stream(HOST, port) as connection:
        for _ in range(count):
            await connection.send_all(sent)
            while not (data := await connection.receive_some()).endswith(ends):
                assert data, "the router has closed the connection"


class Timed:
    """The processor time of this thread in some methods, in seconds, as long as the block."""

    def __init__(self, *methods: tuple[type, str]) -> None:
        self._methods = methods
        self._before = [getattr(owner, name) for owner, name in methods]
        self._is_within = False
        self.spent_s = 0.0

    def __enter__(self) -> "Timed":
        for (owner, name), method in zip(self._methods, self._before, strict=True):
            setattr(owner, name, self._wrapped(method))
        return self

    def __exit__(self, *_exc: object) -> None:
        for (owner, name), method in zip(self._methods, self._before, strict=True):
            setattr(owner, name, method)

    def _wrapped(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            if self._is_within:
                return method(*arguments, **named)
            self._is_within, began = True, time.thread_time()
            try:
                return method(*arguments, **named)
            finally:
                self.spent_s += time.thread_time() - began
                self._is_within = False

        return timed


class Bench:
    """A worker here, its client and provider elsewhere. `write` takes its log."""

    def __init__(self, process: "subprocess.Popen[str]", count: int) -> None:
        self._process = process
        self._count = count
        self._sink = NOWHERE.open("wb", buffering=0)
        self.port = 0

    def write(self, line: bytes) -> None:
        """Write a line of the log to nowhere, by a call of the system, as a log file costs one."""
        self._sink.write(line)

    async def run(self, kind: str, timed: Timed) -> tuple[float, float]:
        """Have all requests answered; return the processor time in seconds, of all and of what is done to be seen.

        Of what this thread does when nobody asks any more, only the latter counts.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        began_s, others_s = time.thread_time(), _others_s()
        self._process.stdin.write(f"{self.port} {self._count} {kind}\n")
        self._process.stdin.flush()
        await trio.to_thread.run_sync(self._process.stdout.readline)
        answered_s, seen_s = time.thread_time() - began_s, timed.spent_s
        await trio.sleep(WRITTEN_S)
        others_s = _others_s() - others_s
        return answered_s + timed.spent_s - seen_s + others_s, timed.spent_s + others_s


def _others_s() -> float:
    """Return the processor time of the threads that write files."""
    return time.process_time() - time.thread_time()


async def measure(bench: Bench, kind: str, rounds: int, count: int) -> None:
    """Measure one kind of request and print what came of it."""
    with Timed() as timed:
        await bench.run(kind, timed)
    wholes, shares = [], []
    for _ in range(rounds):
        with Timed(*SEEN) as timed:
            whole_s, seen_s = await bench.run(kind, timed)
        wholes.append(whole_s * 1e6 / count)
        shares.append(seen_s / whole_s)
    share, whole = statistics.median(shares), statistics.median(wholes)
    print(
        f"{kind:7} {whole:5.0f} us a request, {share:.1%} of it to be seen ({min(shares):.1%} to {max(shares):.1%})"
    )


def config_of(port: int) -> Config:
    """Return the configuration: one provider, no cache."""
    provider = Provider("up", "openai-chat", f"http://{HOST}:{port}/v1", default_model="m", max_requests=100)
    return Config(
        providers=(provider,),
        router=Router(default=(ModelTarget("up"),)),
        server=Server(host=HOST, port=0),
        cache=Cache(enabled=False),
    )


async def main(count: int, rounds: int, folder: str) -> None:
    """Measure both kinds of requests; accounts and journal are in a folder."""
    command = [sys.executable, __file__, "--other-end"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        bench = Bench(process, count)
        config = config_of(int(process.stdout.readline()))
        sockets = listening.bind(config)
        bench.port = listening.port_of(sockets)
        log = make_log("info", (), (bench.write,), partial(datetime.now, UTC))
        listeners = listening.listeners(sockets)
        opening = open_worker(config, listeners, RealNetwork(), log, folder=folder)
        async with opening as worker:
            for kind in ("whole", "stream"):
                await measure(bench, kind, rounds, count)
            assert process.stdin is not None
            process.stdin.close()
            await worker.drain(1.0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--other-end", action="store_true", help=argparse.SUPPRESS)
    found = parser.parse_args()
    if found.other_end:
        trio.run(other_end)
    else:
        with TemporaryDirectory() as place:
            trio.run(main, found.requests, found.rounds, place)
