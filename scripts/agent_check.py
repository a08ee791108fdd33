"""Runs a real coding agent, headless, through the router against a scripted upstream in both dialects.

What differs from agent to agent is an `Agent`; what is said and what must be seen are its scenarios.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from claude_code_scenarios import MODEL, NOTE, Outcome, Scenario, is_routed
from claude_code_upstream import Upstream, serving
from router_process import running_router

from ucr.stress.failing.moves import Dialect, Json

RUN_LIMIT_S = 120
DIALECTS: tuple[Dialect, ...] = ("anthropic", "openai-chat")

CONFIGURATION = """\
[[providers]]
id = "upstream"
dialect = "{dialect}"
base_url = "{base_url}"
api_key = "scripted-key"
default_model = "{model}"

[router]
default = "upstream"
"""


@dataclass(frozen=True, slots=True)
class Start:
    """How an agent is started in its folder: what follows its program, and the variables that it needs."""

    arguments: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agent:
    """A program from npm; `prepare` gets the scenario, the base URL and the folder, which has a `home`."""

    title: str
    package: str
    program: str
    scenarios: Sequence[Scenario]
    prepare: Callable[[Scenario, str, Path], Start]
    can_be_direct: bool = False
    """True for an agent that speaks the scripted upstream's own dialect: then the router can be left out."""


def main(agent: Agent) -> int:
    """Run the scenarios that the command line asks for; return the exit status."""
    options = parse(agent)
    scenarios = [scenario for scenario in agent.scenarios if options.only in (None, scenario.name)]
    dialects = DIALECTS[:1] if options.direct else DIALECTS
    with tempfile.TemporaryDirectory(prefix=f"ucr-{agent.program}-") as name:
        folder = Path(name)
        program = options.program or install(folder, agent)
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        print(f"{agent.title} {asked.stdout.strip()}", flush=True)
        failures = sum(
            run_dialect(agent, program, dialect, scenarios, folder, routed=not options.direct)
            for dialect in dialects
        )
    print(f"{len(scenarios) * len(dialects) - failures} passed, {failures} failed")
    return 1 if failures else 0


def parse(agent: Agent) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Run {agent.title} through the router; say what passed.")
    parser.add_argument(f"--{agent.program}", dest="program", help=f"a {agent.title} that is installed already")
    parser.add_argument("--only", choices=[scenario.name for scenario in agent.scenarios])
    parser.set_defaults(direct=False)
    if agent.can_be_direct:
        parser.add_argument("--direct", action="store_true", help="without the router: a check of this check")
    return parser.parse_args()


def install(folder: Path, agent: Agent) -> str:
    """Install an agent from npm under `folder`; return the path of its program."""
    if shutil.which("npm") is None:
        sys.exit("npm is not installed. On Debian or Ubuntu: apt-get install -y nodejs npm")
    target = folder / "npm"
    options = ["--silent", "--no-fund", "--no-audit", "--prefix", str(target)]
    subprocess.run(["npm", "install", *options, agent.package], check=True)
    return str(target / "node_modules" / ".bin" / agent.program)


def run_dialect(
    agent: Agent, program: str, dialect: Dialect, scenarios: list[Scenario], folder: Path, *, routed: bool
) -> int:
    """Run the scenarios against an upstream of one dialect; return how many failed."""
    upstream, failures = Upstream(dialect), 0
    with serving(upstream) as upstream_port, front(dialect, upstream_port, folder, routed=routed) as base_url:
        for scenario in scenarios:
            started = time.monotonic()
            outcome = run_agent(agent, program, scenario, upstream, base_url, folder, routed=routed)
            wrong = is_routed(outcome) or scenario.check(outcome, dialect)
            failures += wrong is not None
            verdict = "pass" if wrong is None else f"FAIL: {wrong}"
            print(f"{dialect:12} {scenario.name:18} {time.monotonic() - started:5.1f} s  {verdict}", flush=True)
    return failures


@contextmanager
def front(dialect: Dialect, upstream_port: int, folder: Path, *, routed: bool) -> Iterator[str]:
    """Give the base URL for an agent: the router's, which runs as long as the block, or the upstream's."""
    if not routed:
        yield f"http://127.0.0.1:{upstream_port}"
        return
    base_url = f"http://127.0.0.1:{upstream_port}" + ("/v1" if dialect == "openai-chat" else "")
    written = CONFIGURATION.format(dialect=dialect, base_url=base_url, model=MODEL)
    with running_router(folder, dialect, written) as routers_url:
        yield routers_url


def run_agent(
    agent: Agent,
    program: str,
    scenario: Scenario,
    upstream: Upstream,
    base_url: str,
    folder: Path,
    *,
    routed: bool,
) -> Outcome:
    """Run an agent once in a folder and a home of its own."""
    work = Path(tempfile.mkdtemp(prefix=f"{scenario.name}-", dir=folder))
    (work / "home").mkdir()
    (work / "note.txt").write_text(NOTE + "\n")
    upstream.play(scenario, str(work))
    start = agent.prepare(scenario, base_url, work)
    try:
        done = subprocess.run(
            [program, *start.arguments],
            cwd=work,
            env={**environment(work), **start.variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_LIMIT_S,
            check=False,
        )
        output, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, status = f"{agent.title} did not end within {RUN_LIMIT_S} s", -1
    return Outcome(status, output, events_of(output), tuple(upstream.bodies), routed)


def environment(work: Path) -> dict[str, str]:
    """Return an environment without anything of the user's but the way to programs and temporary files."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LANG") if name in os.environ}
    return kept | {"HOME": str(work / "home")}


def events_of(output: str) -> tuple[Json, ...]:
    """Return the lines of an output that are JSON objects."""
    events = []
    for line in output.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            events.append(value)
    return tuple(events)
