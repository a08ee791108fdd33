"""Load by wrk: its script, its command line, and what it says at the end.

wrk sends bytes that are made ready beforehand; its script only puts a number into them, so that no two requests are
the same. At its end it prints one line of JSON.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import trio
from bench_bodies import DIGITS, Question
from bench_process import BenchError

from ucr.stress.real.upstream import LOOPBACK

READ = """
local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end
"""
REQUEST = """
local before, after, number = read("{before}"), read("{after}"), {first}

request = function()
    number = number + {step}
    return before .. string.format("%0{digits}d", number) .. after
end
"""
DONE = """
done = function(summary, latency)
    local errors = summary.errors
    io.write(string.format('{{"requests":%d,"duration_us":%d,"bytes":%d,"failed":%d,"refused":%d,',
        summary.requests, summary.duration, summary.bytes,
        errors.connect + errors.read + errors.write + errors.timeout, errors.status))
    io.write(string.format('"p50_us":%d,"p90_us":%d,"p99_us":%d,"max_us":%d}}\\n',
        latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
"""
SCRIPT = READ + REQUEST + DONE


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk measured. `failed` requests had no answer, `refused` ones a status of 400 or more."""

    requests: int
    duration_us: int
    bytes: int
    failed: int
    refused: int
    p50_us: int
    p90_us: int
    p99_us: int
    max_us: int

    @property
    def per_s(self) -> float:
        return self.requests / self.duration_us * 1e6 if self.duration_us else 0.0


async def load(
    folder: Path, port: int, asked: Question, *, connections: int, seconds: float, first: int, unique: bool
) -> Load:
    """Let wrk ask a port for a while; raise `BenchError` when it cannot.

    `first` is the number of the first request; without `unique` all have it.
    """
    file = folder / "wrk.lua"
    files = {"before": folder / "before.bin", "after": folder / "after.bin"}
    files["before"].write_bytes(asked.before)
    files["after"].write_bytes(asked.after)
    file.write_text(script(files["before"], files["after"], first=first, unique=unique), "utf-8")
    return await load_by(file, port, connections, seconds)


async def load_by(file: Path, port: int, connections: int, seconds: float) -> Load:
    """Let wrk run a script; raise `BenchError` when it cannot."""
    found = await trio.run_process(
        command(file, port, connections, seconds), capture_stdout=True, capture_stderr=True, check=False
    )
    await trio.lowlevel.checkpoint_if_cancelled()
    if found.returncode != 0:
        raise BenchError(f"wrk ended with {found.returncode}: {found.stderr.decode('utf-8', 'replace')[-300:]}")
    return parsed(found.stdout)


def script(before: Path, after: Path, *, first: int, unique: bool) -> str:
    """Return wrk's program."""
    return SCRIPT.format(before=before, after=after, first=first, step=int(unique), digits=DIGITS)


def command(file: Path, port: int, connections: int, seconds: float) -> list[str]:
    """Return the command line. wrk takes whole seconds."""
    duration = f"{max(1, round(seconds))}s"
    url = f"http://{LOOPBACK}:{port}/"
    return ["wrk", "-t1", f"-c{connections}", f"-d{duration}", "--timeout", "10s", "-s", str(file), url]


def parsed(output: bytes) -> Load:
    """Read the line of JSON among what wrk wrote; raise `BenchError` when there is none."""
    for line in reversed(output.splitlines()):
        if line.startswith(b'{"requests"'):
            return Load(**json.loads(line))
    raise BenchError(f"wrk said nothing of its load: {output.decode('utf-8', 'replace')[-300:]}")
