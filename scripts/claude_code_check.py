"""Run the real Claude Code, headless, through the router against a scripted upstream in both dialects.

`scripts/claude-code-check --help` says what can be chosen. Exit status 1 when a scenario failed.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claude_code_scenarios import MODEL, NOTE, PROMPT, SCENARIOS, Dialect, Json, Outcome, Scenario, is_routed
from claude_code_upstream import Upstream, serving

PACKAGE = "@anthropic-ai/claude-code"
RUN_LIMIT_S = 120
START_LIMIT_S = 20
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direct", action="store_true", help="without the router: a check of this check")
    parser.add_argument("--claude", help="a Claude Code that is installed already")
    parser.add_argument("--only", choices=[scenario.name for scenario in SCENARIOS])
    options = parser.parse_args()
    scenarios = [scenario for scenario in SCENARIOS if options.only in (None, scenario.name)]
    with tempfile.TemporaryDirectory(prefix="ucr-claude-code-") as folder:
        claude = options.claude or install(Path(folder))
        version = subprocess.run(
            [claude, "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        print(f"Claude Code {version}", flush=True)
        results = [
            run_dialect(claude, dialect, scenarios, Path(folder), routed=not options.direct)
            for dialect in (DIALECTS[:1] if options.direct else DIALECTS)
        ]
    failures = sum(results)
    print(f"{len(scenarios) * len(results) - failures} passed, {failures} failed")
    return 1 if failures else 0


def install(folder: Path, package: str = PACKAGE, program: str = "claude") -> str:
    """Install a package from npm under `folder`; return the path of its program."""
    if shutil.which("npm") is None:
        sys.exit("npm is not installed. On Debian or Ubuntu: apt-get install -y nodejs npm")
    target = folder / "npm"
    command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(target), package]
    subprocess.run(command, check=True)
    return str(target / "node_modules" / ".bin" / program)


def run_dialect(claude: str, dialect: Dialect, scenarios: list[Scenario], folder: Path, *, routed: bool) -> int:
    """Run the scenarios against an upstream of one dialect; return how many failed."""
    upstream, failures = Upstream(dialect), 0
    with serving(upstream) as upstream_port, front(dialect, upstream_port, folder, routed=routed) as base_url:
        for scenario in scenarios:
            started = time.monotonic()
            outcome = run_claude(claude, scenario, upstream, base_url, folder, routed=routed)
            wrong = is_routed(outcome) or scenario.check(outcome, dialect)
            failures += wrong is not None
            verdict = "pass" if wrong is None else f"FAIL: {wrong}"
            print(f"{dialect:12} {scenario.name:16} {time.monotonic() - started:5.1f} s  {verdict}", flush=True)
    return failures


@contextmanager
def front(dialect: Dialect, upstream_port: int, folder: Path, *, routed: bool) -> Iterator[str]:
    """Give the base URL for Claude Code: the router's, which runs as long as the block, or the upstream's."""
    if not routed:
        yield f"http://127.0.0.1:{upstream_port}"
        return
    port = free_port()
    base_url = f"http://127.0.0.1:{upstream_port}" + ("/v1" if dialect == "openai-chat" else "")
    file = folder / f"{dialect}.toml"
    file.write_text(CONFIGURATION.format(dialect=dialect, base_url=base_url, model=MODEL))
    command = [sys.executable, "-P", "-m", "ucr.cli", "serve", "--config", str(file), "--port", str(port)]
    log = folder / f"{dialect}.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as router:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", router, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            router.terminate()
            if router.wait(timeout=START_LIMIT_S) != 0:
                print(
                    f"the router ended with status {router.returncode}:\n{log.read_text()[-2000:]}", flush=True
                )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, router: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and router.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit(f"the router did not start:\n{log.read_text()[-2000:]}")


def run_claude(
    claude: str, scenario: Scenario, upstream: Upstream, base_url: str, folder: Path, *, routed: bool
) -> Outcome:
    """Run Claude Code once in a folder and a home of its own."""
    work = Path(tempfile.mkdtemp(prefix=f"{scenario.name}-", dir=folder))
    (work / "note.txt").write_text(NOTE + "\n")
    upstream.play(scenario, str(work))
    command = [claude, "-p", PROMPT, "--output-format", "stream-json", "--verbose"]
    command += ["--allowedTools", "Bash(echo:*)", "Read"]
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env=environment(base_url, work),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_LIMIT_S,
            check=False,
        )
        output, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, status = f"Claude Code did not end within {RUN_LIMIT_S} s", -1
    return Outcome(status, output, events_of(output), tuple(upstream.bodies), routed)


def environment(base_url: str, work: Path) -> dict[str, str]:
    """Return an environment without anything of the user's but the way to programs and temporary files."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LANG") if name in os.environ}
    return kept | {
        "HOME": str(work / "home"),
        "CLAUDE_CONFIG_DIR": str(work / "home" / "claude"),
        "ANTHROPIC_BASE_URL": base_url,
        "ANTHROPIC_AUTH_TOKEN": "scripted-client",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def events_of(output: str) -> tuple[Json, ...]:
    events = []
    for line in output.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            events.append(value)
    return tuple(events)


if __name__ == "__main__":
    sys.exit(main())
