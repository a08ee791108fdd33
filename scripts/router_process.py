"""A router on a free port of loopback for a check: started, waited for, and ended with the block."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_LIMIT_S = 60


@contextmanager
def running_router(folder: Path, name: str, configuration: str) -> Iterator[str]:
    """Run a router with this configuration as long as the block; give its base URL.

    What it writes goes to `name.log` in the folder; it is shown when the router does not start or end well.
    """
    port = free_port()
    file = folder / f"{name}.toml"
    file.write_text(configuration, "utf-8")
    command = [sys.executable, "-P", "-m", "ucr.cli", "serve", "--config", str(file), "--port", str(port)]
    log = folder / f"{name}.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as router:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", router, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            router.terminate()
            if router.wait(timeout=START_LIMIT_S) != 0:
                print(f"the router ended with status {router.returncode}:\n{tail(log)}", flush=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a process answers at `url`; exit with its last words when it does not."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url}:\n{tail(log)}")


def tail(log: Path) -> str:
    return log.read_text("utf-8", errors="replace")[-2000:]
