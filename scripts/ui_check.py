"""Drive the dashboard in real headless Chromium, on a real router with traffic.

`scripts/ui-check --help` says what can be chosen. Exit status 1 when something was not as it should be.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from router_process import running_router
from ui_scene import ADMIN_KEY, CONFIGURATION, MARKUP, providers, traffic

RUN_LIMIT_S = 240
STEPS = Path(__file__).with_name("ui_check.mjs")
PACKAGE = "playwright-core@1"
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    options = parse()
    browser = options.chromium or next(filter(None, map(shutil.which, _NAMES)), None)
    if browser is None:
        sys.exit(
            "chromium is not installed. On Debian or Ubuntu: apt-get install -y --no-install-recommends chromium"
        )
    with tempfile.TemporaryDirectory(prefix="ucr-ui-") as name:
        folder = Path(name)
        modules = options.modules or install(folder)
        os.environ["UCR_STATE_DIR"] = str(folder / "state")
        with providers() as upstream:
            written = CONFIGURATION.format(url=upstream, key=ADMIN_KEY)
            with running_router(folder, "router", written) as url, traffic(url):
                status = drive(url, browser, modules, folder, options.shots)
                while options.stay:
                    print(f"{url}/ui with the key {ADMIN_KEY}", flush=True)
                    time.sleep(3600)
    return status


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Drive the dashboard in headless Chromium; say what passed.")
    parser.add_argument("--shots", help="a folder for pictures of what was seen")
    parser.add_argument("--chromium", help="a browser that is installed already")
    parser.add_argument("--modules", help="a folder in which playwright-core is installed already")
    parser.add_argument("--stay", action="store_true", help="leave the router running, to be looked at")
    return parser.parse_args()


def install(folder: Path) -> str:
    """Install playwright-core, which brings no browser, under `folder`; return where."""
    if shutil.which("npm") is None:
        sys.exit("npm is not installed. On Debian or Ubuntu: apt-get install -y nodejs npm")
    options = ["--silent", "--no-fund", "--no-audit", "--prefix", str(folder / "npm")]
    subprocess.run(["npm", "install", *options, PACKAGE], check=True)
    return str(folder / "npm")


def drive(url: str, browser: str, modules: str, folder: Path, shots: str | None) -> int:
    """Take the steps, in a home of their own; return the exit status."""
    (folder / "home").mkdir()
    told = {
        "CHECK_URL": url,
        "CHECK_KEY": ADMIN_KEY,
        "CHECK_MARKUP": MARKUP,
        "CHECK_BROWSER": browser,
        "CHECK_MODULES": str(Path(modules).absolute()),
        "CHECK_SHOTS": "" if shots is None else str(Path(shots).absolute()),
    }
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = {**kept, **told, "HOME": str(folder / "home"), "TMPDIR": str(folder)}
    try:
        return subprocess.run(
            ["node", str(STEPS)], env=environment, timeout=RUN_LIMIT_S, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"the check did not end within {RUN_LIMIT_S} s")
        return 1


if __name__ == "__main__":
    sys.exit(main())
