"""What the cache is worth to agents: a recorded session of Claude Code, replayed by many users.

Each user replays all requests of the session in their order, about a thing of his own choice: which one, he draws from
a Zipf distribution, so that some are asked about by many, and most by few. His id is in every request and changes
none of its answers. Requests of other users come between his, and those that are alike come at the same time.
"""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio
from bench_bodies import DIGITS, FILLER_BYTES, MARK, PATHS, filled, restored, tool_of
from bench_contenders import Running, Setting, Ucr
from bench_nginx import Origin, free_ports
from bench_process import running_process, watched
from bench_rounds import Bench
from bench_wrk import DONE, READ, Load, load_by

from ucr.stress.real.load import get, open_line

CAPTURE = Path(__file__).resolve().parent.parent / "tests/fixtures/captures/claude_code.jsonl"
USERS = 200
TOPICS = 15
FEW_TOPICS = 2
EXPONENT = 1.1
CONNECTIONS = 100
WORKERS = 2
EVENTS, GAP_MS, FIRST_MS = 40, 5, 200
"""Of an answer of the upstream, which takes 0.4 s."""
USER = "#" * DIGITS
"""Stands in a body where the user's id is."""
WANTED = ("hit", "miss", "coalesced", "bypass")

SCRIPT = (
    READ
    + """
math.randomseed({seed})
local steps, users, topics = {steps}, {users}, {topics}
local pieces, odds, total = {{}}, {{}}, 0
for step = 1, steps do
    pieces[step] = {{}}
    for part = 1, 3 do pieces[step][part] = read(string.format("{folder}/%d.%d", step, part)) end
end
for topic = 1, topics do
    total = total + 1 / topic ^ {exponent}
    odds[topic] = total
end

local function draw()
    local at = math.random() * total
    for topic = 1, topics do
        if at <= odds[topic] then return topic end
    end
    return topics
end

local present, where = 0, {{}}
request = function()
    present = present % users + 1
    local one = where[present]
    if one == nil or one.step == steps then
        one = {{topic = draw(), step = 0}}
        where[present] = one
    end
    one.step = one.step + 1
    local parts = pieces[one.step]
    return parts[1] .. string.format("%0{digits}d", one.topic) .. parts[2]
        .. string.format("%0{digits}d", present) .. parts[3]
end
"""
    + DONE
)


@dataclass(frozen=True, slots=True)
class Phase:
    """What came of one run: requests by what the cache was to them, and the router's processor time."""

    title: str
    load: Load
    lookups: dict[str, int]
    cpu_us: float

    @property
    def hit_rate(self) -> float:
        """Of the requests that asked the cache, how many it answered."""
        asked = sum(self.lookups.get(name, 0) for name in ("hit", "miss", "coalesced"))
        return self.lookups.get("hit", 0) / asked if asked else 0.0

    @property
    def coalescing_factor(self) -> float:
        """How many requests one call to the provider answered, hits left aside."""
        misses = self.lookups.get("miss", 0)
        return (misses + self.lookups.get("coalesced", 0)) / misses if misses else 1.0


def session() -> list[dict[str, Any]]:
    """Return the bodies of a recorded session in their order, as long as they were, with both marks in them."""
    lines = [json.loads(line) for line in CAPTURE.read_text("utf-8").splitlines()]
    return [_body(line["body"], line["body_bytes"]) for line in lines if line["path"] == PATHS["anthropic"]]


def _body(recorded: dict[str, Any], size_bytes: int) -> dict[str, Any]:
    body = {name: value for name, value in restored(recorded).items() if name != "metadata"}
    question = {"role": "user", "content": f"It is about thing {MARK}."}
    body = {**body, "messages": [*body["messages"], question], "metadata": {"user_id": USER}}
    tools = [tool_of(one) for one in body.get("tools", ())]
    described = sum("description" in one for one in tools)
    if described:
        chars = int((size_bytes - len(json.dumps({**body, "tools": tools}))) / described / FILLER_BYTES)
        body["tools"] = [
            {**one, "description": filled("", chars)} if "description" in one else one for one in tools
        ]
    return body


def pieces(body: dict[str, Any], port: int) -> tuple[bytes, bytes, bytes]:
    """Return a whole request without the numbers of its topic and its user."""
    data = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    head = (
        f"POST {PATHS['anthropic']} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        f"x-api-key: not-a-key\r\nanthropic-version: 2023-06-01\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    first, _, rest = data.partition(MARK.encode())
    second, _, third = rest.partition(USER.encode())
    return head.encode() + first, second, third


def script(folder: Path, steps: int, topics: int, seed: int) -> str:
    """Return wrk's program; the pieces of the requests are in the folder."""
    return SCRIPT.format(
        folder=folder,
        steps=steps,
        topics=topics,
        seed=seed,
        users=USERS,
        exponent=EXPONENT,
        digits=DIGITS,
    )


async def replay(bench: Bench, program: Path) -> list[Phase]:
    """Run the router with its cache, and replay: with many topics from an empty cache on, then with few of them."""
    folder = bench.folder / "replay"
    await trio.Path(folder).mkdir()
    (port,) = free_ports(1)
    serve = [str(program), "serve", str(port), str(EVENTS), str(GAP_MS), str(FIRST_MS)]
    async with running_process(serve, folder, ports=[port]):
        setting = Setting(
            Origin(port),
            "anthropic",
            "openai-chat",
            WORKERS,
            True,
            folder,
            bench.certificate,
            "own",
            streams=True,
        )
        async with Ucr().running(setting) as running:
            return [
                await _phase(bench, running, folder, "many topics, from an empty cache on", TOPICS, 5),
                await _phase(bench, running, folder, "the same, later", TOPICS, 5),
                await _phase(bench, running, folder, "few topics, all of it at hand", FEW_TOPICS, 2),
            ]


async def _phase(bench: Bench, running: Running, folder: Path, title: str, topics: int, times: int) -> Phase:
    seconds = bench.seconds * times
    bodies = session()
    for step, body in enumerate(bodies, 1):
        for part, data in enumerate(pieces(body, running.port), 1):
            await trio.Path(folder / f"{step}.{part}").write_bytes(data)
    file = folder / "replay.lua"
    await trio.Path(file).write_text(script(folder, len(bodies), topics, len(title)), "utf-8")
    before = lookups(await _metrics(running.port))
    ask = partial(load_by, file, running.port, CONNECTIONS, seconds)
    load, cpu_s, _ = await watched(ask, running.pids, seconds)
    after = lookups(await _metrics(running.port))
    told = {name: after.get(name, 0) - before.get(name, 0) for name in WANTED}
    phase = Phase(title, load, told, cpu_s / load.requests * 1e6 if load.requests else 0.0)
    bench.say(f"  replay, {title}: hit rate {phase.hit_rate:.1%}, {phase.cpu_us:.0f} µs a request, {told}")
    return phase


async def _metrics(port: int) -> str:
    line = await open_line(port)
    async with line.stream:
        return bytes((await line.exchange(get("/metrics"))).body).decode()


def lookups(metrics: str) -> dict[str, int]:
    """Return how many requests asked the cache, by what it was to them."""
    found = {}
    for line in metrics.splitlines():
        if line.startswith("ucr_cache_lookups_total{"):
            labels, _, number = line.rpartition(" ")
            found[labels.partition('result="')[2].partition('"')[0]] = int(float(number))
    return found
