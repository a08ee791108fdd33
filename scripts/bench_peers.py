"""Other routers, measured beside UCR in the same run: how each is installed, configured and started.

Each is installed from its public registry into a folder of its own in the cache of the user, with its usual
installer, and runs with logging turned down and without an account. What a peer is not able to do it is not asked.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio
from bench_bodies import Dialect
from bench_contenders import Running, Setting
from bench_nginx import free_ports
from bench_process import BenchError, family, running_process, tail

INSTALL_LIMIT_S = 900.0
KEY = "not-a-key"
UNLIMITED = "1000000000"
MODEL = "claude-opus-5-5"
"""The name that the bodies ask for."""
Way = tuple[Dialect, Dialect]
CHAT: Way = ("openai-chat", "openai-chat")
CROSSED: Way = ("anthropic", "openai-chat")
PASSED: Way = ("anthropic", "anthropic")


@dataclass(frozen=True, slots=True)
class Launch:
    """How a peer is started for a setting, and how it is asked then."""

    command: list[str]
    variables: Mapping[str, str]
    headers: tuple[tuple[str, str], ...] = ()
    model: str = ""
    files: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """A router of somebody else's. `launch` is given its setting, its installed folder, and its port."""

    name: str
    package: str
    ways: frozenset[Way]
    launch: Callable[[Setting, Path, int], Launch]
    home: Path

    def can(self, setting: Setting) -> bool:
        """Return whether it speaks these dialects; what is UCR's own is not compared."""
        return setting.kind not in ("own", "crowd") and (setting.client, setting.provider) in self.ways

    @asynccontextmanager
    async def running(self, setting: Setting) -> AsyncIterator[Running]:
        (port,) = free_ports(1)
        launch = self.launch(setting, self.home, port)
        folder = setting.folder / self.name
        await trio.to_thread.run_sync(partial(_write, folder, launch.files or {}))
        async with running_process(
            launch.command, folder, ports=[port], variables={"HOME": str(folder), **launch.variables}
        ) as process:
            yield Running(port, lambda: family(process.pid), model=launch.model, headers=launch.headers)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


def cache_folder() -> Path:
    """Return where peers are installed, and stay for the next run."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ucr-bench"


async def install(peer: Peer) -> None:
    """Install a peer unless it is there already; raise `BenchError` when that fails."""
    done = peer.home / "installed"
    if done.exists():
        return
    shutil.rmtree(peer.home, ignore_errors=True)
    peer.home.mkdir(parents=True)
    output = peer.home / "install.log"
    for command in install_commands(peer):
        with output.open("ab") as file, trio.move_on_after(INSTALL_LIMIT_S) as scope:
            made = await trio.run_process(command, stdout=file, stderr=subprocess.STDOUT, check=False)
        if scope.cancelled_caught or made.returncode != 0:
            raise BenchError(f"{peer.name} could not be installed: {tail(output)}")
    done.touch()


def install_commands(peer: Peer) -> list[list[str]]:
    """Return the commands of the usual installer: pip in a virtual environment of its own, or npm."""
    home = str(peer.home)
    if peer.package.startswith("@"):
        return [["npm", "install", "--prefix", home, "--no-audit", "--no-fund", peer.package]]
    pip = [f"{home}/bin/python", "-m", "pip", "install", "--disable-pip-version-check", peer.package]
    return [[sys.executable, "-m", "venv", home], pip]


def peers(base: Path) -> tuple[Peer, ...]:
    """Return all peers, each with its folder below `base`."""
    return (
        Peer("rolter", "rolter", frozenset({CHAT, CROSSED, PASSED}), _rolter, base / "rolter"),
        Peer("smg", "smg", frozenset({CHAT, PASSED}), _smg, base / "smg"),
        Peer("ferrogw", "ferrogw", frozenset({CHAT}), _ferrogw, base / "ferrogw"),
        Peer("portkey", "@portkey-ai/gateway", frozenset({CHAT, PASSED}), _portkey, base / "portkey"),
        Peer("litellm", "litellm[proxy]", frozenset({CHAT, CROSSED, PASSED}), _litellm, base / "litellm"),
    )


ROLTER = """
[server]
host = "127.0.0.1"
port = {port}

[queue]
enabled = false

[[providers.readonly]]
name = "bench"
kind = "{kind}"
api_base = "{url}"
api_key_env = "BENCH_KEY"

[[routes]]
model = "{model}"
strategy = "round_robin"
[[routes.targets]]
provider = "bench"
model = "m"
"""


def _rolter(setting: Setting, home: Path, port: int) -> Launch:
    kind = "anthropic" if setting.provider == "anthropic" else "openai_compatible"
    text = ROLTER.format(port=port, kind=kind, url=setting.origin.url, model=MODEL)
    command = [str(home / "bin/rolter"), "gateway", "--config", "rolter.toml"]
    return Launch(command, {"BENCH_KEY": KEY, "RUST_LOG": "error"}, files={"rolter.toml": text})


def _smg(setting: Setting, home: Path, port: int) -> Launch:
    backend = "anthropic" if setting.provider == "anthropic" else "openai"
    where = ["--host", "127.0.0.1", "--port", str(port), "--worker-urls", setting.origin.url]
    command = [str(home / "bin/smg"), "launch", *where, "--backend", backend, "--log-level", "error"]
    return Launch(command, {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY})


FERROGW = """
strategy:
  mode: single
targets:
  - virtual_key: openai
"""


def _ferrogw(setting: Setting, home: Path, port: int) -> Launch:
    variables = {
        "PORT": str(port),
        "GATEWAY_CONFIG": "config.yaml",
        "MASTER_KEY": KEY,
        "ALLOW_UNAUTHENTICATED_PROXY": "true",
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": setting.origin.url,
        "RATE_LIMIT_RPS": UNLIMITED,
        "RATE_LIMIT_BURST": UNLIMITED,
        "LOG_LEVEL": "error",
    }
    return Launch(
        [str(home / "bin/ferrogw"), "serve"], variables, model="gpt-4o", files={"config.yaml": FERROGW}
    )


def _portkey(setting: Setting, home: Path, port: int) -> Launch:
    script = home / "node_modules/@portkey-ai/gateway/build/start-server.js"
    provider = "anthropic" if setting.provider == "anthropic" else "openai"
    headers = (("x-portkey-provider", provider), ("x-portkey-custom-host", f"{setting.origin.url}/v1"))
    variables = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    return Launch(["node", str(script), "--headless", f"--port={port}"], variables, headers)


LITELLM = """
model_list:
  - model_name: {model}
    litellm_params:
      model: {target}
      api_base: {url}
      api_key: {key}
"""


def _litellm(setting: Setting, home: Path, port: int) -> Launch:
    is_same = setting.provider == "anthropic"
    text = LITELLM.format(
        model=MODEL,
        target=f"anthropic/{MODEL}" if is_same else "openai/m",
        url=setting.origin.url if is_same else f"{setting.origin.url}/v1",
        key=KEY,
    )
    where = ["--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
    command = [str(home / "bin/litellm"), *where, "--num_workers", str(setting.workers), "--telemetry", "False"]
    variables = {
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        "LITELLM_USE_CHAT_COMPLETIONS_URL_FOR_ANTHROPIC_MESSAGES": "true",
    }
    return Launch(command, variables, files={"config.yaml": text})
