"""Run the real Codex, headless, through the router against a scripted upstream in both dialects.

`scripts/codex-check --help` says what can be chosen. Exit status 1 when a scenario failed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from claude_code_check import DIALECTS, RUN_LIMIT_S, events_of, front, install
from claude_code_scenarios import NOTE, PROMPT, Dialect, Outcome, is_routed
from claude_code_upstream import Upstream, serving
from codex_scenarios import SCENARIOS, CodexScenario

PACKAGE = "@openai/codex"
MODEL = "gpt-5.5"
"""A model that Codex knows, so that it offers its custom tool."""

OWN_PROVIDER = """\
model = "{model}"
model_reasoning_summary = "auto"
model_provider = "ucr"

[model_providers.ucr]
name = "UCR"
base_url = "{base_url}/v1"
wire_api = "responses"
"""
BUILT_IN_PROVIDER = """\
model = "{model}"
openai_base_url = "{base_url}/v1"
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codex", help="a Codex that is installed already")
    parser.add_argument("--only", choices=[scenario.name for scenario in SCENARIOS])
    options = parser.parse_args()
    scenarios = [scenario for scenario in SCENARIOS if options.only in (None, scenario.name)]
    with tempfile.TemporaryDirectory(prefix="ucr-codex-") as folder:
        codex = options.codex or install(Path(folder), PACKAGE, "codex")
        version = subprocess.run(
            [codex, "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        print(version, flush=True)
        failures = sum(run_dialect(codex, dialect, scenarios, Path(folder)) for dialect in DIALECTS)
    print(f"{len(scenarios) * len(DIALECTS) - failures} passed, {failures} failed")
    return 1 if failures else 0


def run_dialect(codex: str, dialect: Dialect, scenarios: list[CodexScenario], folder: Path) -> int:
    """Run the scenarios against an upstream of one dialect; return how many failed."""
    upstream, failures = Upstream(dialect), 0
    with serving(upstream) as upstream_port, front(dialect, upstream_port, folder, routed=True) as base_url:
        for scenario in scenarios:
            started = time.monotonic()
            outcome = run_codex(codex, scenario, upstream, base_url, folder)
            wrong = is_routed(outcome) or scenario.check(outcome, dialect)
            failures += wrong is not None
            verdict = "pass" if wrong is None else f"FAIL: {wrong}"
            print(f"{dialect:12} {scenario.name:18} {time.monotonic() - started:5.1f} s  {verdict}", flush=True)
    return failures


def run_codex(codex: str, scenario: CodexScenario, upstream: Upstream, base_url: str, folder: Path) -> Outcome:
    """Run Codex once in a folder and a home of its own."""
    work = Path(tempfile.mkdtemp(prefix=f"{scenario.name}-", dir=folder))
    (work / "note.txt").write_text(NOTE + "\n")
    home = work / "home"
    home.mkdir()
    template = BUILT_IN_PROVIDER if scenario.is_built_in else OWN_PROVIDER
    (home / "config.toml").write_text(template.format(model=MODEL, base_url=base_url))
    upstream.play(scenario, str(work))
    command = [codex, "exec", "--json", "--skip-git-repo-check"]
    command += ["--dangerously-bypass-approvals-and-sandbox", PROMPT]
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_LIMIT_S,
            check=False,
        )
        output, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, status = f"Codex did not end within {RUN_LIMIT_S} s", -1
    return Outcome(status, output, events_of(output), tuple(upstream.bodies), routed=True)


def environment(home: Path) -> dict[str, str]:
    """Return an environment without anything of the user's but the way to programs and temporary files."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LANG") if name in os.environ}
    return kept | {"HOME": str(home), "CODEX_HOME": str(home), "OPENAI_API_KEY": "scripted-client"}


if __name__ == "__main__":
    sys.exit(main())
