"""A desk on which the pages of the documentation are followed: a home of its own, a checkout, a provider, and programs.

Blocks are typed as a reader would type them. Only what he would not have is put in their place: the port is a free
one, the providers are a scripted one on loopback, and Claude Code, Codex and Gemini CLI are programs that
send one request each, to whom their environment and their options say.
"""

import hashlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from router_process import free_port

from tests.world import answers
from tests.world.blocks import Block
from tests.world.probed import CALL, able
from tests.world.process import serving
from tests.world.sources import ROOT
from ucr.stress.upstream import Answer, Handler, SeenRequest, Upstream

LIMIT_S = 600.0
CLEAR_S = 20.0
PROVIDERS = ("anthropic", "openai", "groq", "deepseek", "gemini", "ollama")
SECRET = "desk-0123456789-0123456789-0123456789"

_CONFIG = """
[server]
workers = 1

[router]
default = ["anthropic/claude-sonnet-4-5", "openai/gpt-5"]
max_attempts = 2

[journal]
bodies = true

[[prices]]
provider = "openai"
model = "gpt-5"
input = 1.25
output = 10.0

[[prices]]
provider = "anthropic"
model = "claude-opus*"
input = 5.0
output = 25.0
"""
_PROVIDER = """
[[providers]]
id = "{id}"
dialect = "anthropic"
base_url = "http://127.0.0.1:{port}/{id}"
api_key = "sk-scripted"
default_model = "model-of-{id}"
"""

_ASK = """
import json, sys, urllib.error, urllib.request
def ask(url, path, headers, body):
    headers = {"content-type": "application/json", **headers}
    request = urllib.request.Request(url.rstrip("/") + path, json.dumps(body).encode(), headers)
    try:
        print(urllib.request.urlopen(request, timeout=30).read().decode())
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.code} {error.read().decode()}")
turns = [{"role": "user", "content": "Hello"}]
"""
_PROGRAMS = {
    "ask": """
words = " ".join(sys.argv[2:]) or "Hello"
url, turns = "http://127.0.0.1:{port}", [{{"role": "user", "content": words}}]
headers = {{"x-claude-code-session-id": "5e0c"}}
ask(url, "/v1/messages", headers, {{"model": sys.argv[1], "max_tokens": 64, "stream": True, "messages": turns}})
""",
    "claude": """
import os
url, key = os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_AUTH_TOKEN"]
body = {{"model": "claude-opus-5-5", "max_tokens": 64, "messages": turns}}
ask(url, "/v1/messages", {{"authorization": "Bearer " + key}}, body)
""",
    "codex": """
url = [part.split("=", 1)[1].strip('"') for part in sys.argv if ".base_url=" in part][0]
ask(url, "/responses", {{}}, {{"model": "claude-opus-5-5", "input": "Hello"}})
""",
    "gemini": """
import os
url, key, model = os.environ["GOOGLE_GEMINI_BASE_URL"], os.environ["GEMINI_API_KEY"], sys.argv[-1]
turns = [{{"role": "user", "parts": [{{"text": "Hello"}}]}}]
ask(url, "/v1beta/models/" + model + ":generateContent", {{"x-goog-api-key": key}}, {{"contents": turns}})
""",
    "write-request": """
print(json.dumps({{"model": "claude-opus-5-5", "max_tokens": 64, "messages": turns}}))
""",
    "last-id": """
import subprocess
said = subprocess.run(["ucr-trio", "logs", "-n", "1", "--json"], stdout=subprocess.PIPE, check=True).stdout
print(json.loads(said.splitlines()[0])["request_id"])
""",
}


def provider() -> Handler:
    """Answer as the providers of the desk: well, but for what the pages tell of."""
    one_call = (200, {**answers.anthropic_reply(), "content": [CALL], "stop_reason": "tool_use"})
    refused = (
        400,
        {"type": "error", "error": {"type": "invalid_request_error", "message": "no thinking here"}},
    )
    usual, thoughtless = able({"parallel tools": one_call}), able({"thinking": refused})

    async def handle(request: SeenRequest, answer: Answer) -> None:
        if request.method == "GET":
            models = {"data": [{"id": f"model-of-{id}", "type": "model"} for id in PROVIDERS]}
            return await answers.says(200, models)(request, answer)
        body: Any = request.json()
        is_overloaded = "overload" in str(body["messages"]) and request.path.startswith("/anthropic")
        if is_overloaded or "outage" in str(body["messages"]):
            told = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
            return await answers.says(529, told)(request, answer)
        return await (thoughtless if "qwen3-32b" in body["model"] else usual)(request, answer)

    return handle


class Desk:
    """Where a page is followed: `type` does what a block says, and returns what it printed."""

    def __init__(self, folder: Path, upstream_port: int, nursery: trio.Nursery) -> None:
        self.home, self.work, self.port = folder / "home", folder / "checkout", free_port()
        self._nursery, self._staying = nursery, None
        self._bin = folder / "bin"
        for made in (self.home / ".config" / "ucr", self.work / "tests", self._bin):
            made.mkdir(parents=True)
        providers = "".join(_PROVIDER.format(id=id, port=upstream_port) for id in PROVIDERS)
        for file in (self.home / "providers.toml", self.home / ".config" / "ucr" / "ucr.toml"):
            file.write_text(f"{providers}{_CONFIG}", "utf-8")
            file.chmod(0o600)
        self._lay_programs()
        self._lay_checkout(folder / "venv")

    def _lay_programs(self) -> None:
        python = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
        programs = {
            "python": python,
            "python3": python,
            "ucr-trio": python.replace('"$@"', '-P -m ucr.cli "$@"'),
        }
        for name, text in _PROGRAMS.items():
            programs[name] = f"#!{sys.executable}\n{_ASK}{text.format(port=self.port)}"
        for name, text in programs.items():
            (self._bin / name).write_text(text, "utf-8")
            (self._bin / name).chmod(0o755)

    def _lay_checkout(self, venv: Path) -> None:
        """Make a checkout with one test, whose environment is made already."""
        for name in ("ucr", "actors", "scripts", "docs", "pyproject.toml"):
            (self.work / name).symlink_to(ROOT / name)
        (self.work / "tests" / "test_one.py").write_text("def test_one() -> None:\n    assert True\n", "utf-8")
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").symlink_to(self._bin / "python")
        (venv / "bin" / "activate").write_text(f'export PATH="{self._bin}:$PATH"\n', "utf-8")
        (self.work / ".venv").symlink_to(venv)
        digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
        (venv / "installed-test").write_text(f"{self.work} {digest}  -\n", "utf-8")

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": f"{self._bin}:{os.defpath}",
            "HOME": str(self.home),
            "USER": "reader",
            "PYTHONPATH": str(ROOT),
            "UCR_VENV": str(self.home.parent / "venv"),
            "UCR_PORT": str(self.port),
            "UCR_TEST_WORKERS": "1",
            "UCR_CACHE_SECRET": SECRET,
        }

    async def type(self, block: Block, text: str) -> str:
        """Type commands and wait for their end, or, as the block says, for words; fail on another status."""
        if {"stays", "first"} & block.options.keys():
            await self._end_staying()
        for part in filter(None, block.options.get("instead", "").split("; ")):
            before, _, after = part.partition("=>")
            assert before in text, f"{block}: there is no {before!r} to be replaced"
            text = text.replace(before, after)
        command = re.sub(r"(127\.0\.0\.1|localhost):3000\b", rf"\1:{self.port}", text)
        running = _Running(block, f"set -euo pipefail\n{command}")
        await running.start(self)
        if words := block.options.get("stays", block.options.get("until")):
            await running.wait_words(words)
            if "stays" in block.options:
                self._staying = running
                return running.said
            running.press_ctrl_c()
        status = await running.wait()
        assert status == int(block.options.get("status", "0")), f"{block}: status {status}\n{running.said}"
        return running.said

    async def start(self, running: "_Running") -> None:
        self._nursery.start_soon(running.read)

    async def leave(self) -> None:
        """End what still runs."""
        await self._end_staying()
        leaving = Block("leaving", 0, "sh", {}, "")
        await self.type(leaving, "ucr-trio stop")

    async def clear(self) -> None:
        """End the router in the background, however the page was left; it is well if there is none."""
        with trio.CancelScope(shield=True, deadline=trio.current_time() + CLEAR_S):
            stop = [str(self._bin / "ucr-trio"), "stop", "--now"]
            await trio.run_process(stop, env=self.environ, stdout=-3, stderr=-3, check=False)

    async def _end_staying(self) -> None:
        running, self._staying = self._staying, None
        if running is not None:
            running.press_ctrl_c()
            assert await running.wait() == 0, running.said


class _Running:
    """Commands that run, and what they have said so far."""

    def __init__(self, block: Block, command: str) -> None:
        self.block, self._command, self._said, self._changed = block, command, bytearray(), trio.Event()
        self._process: trio.Process

    async def start(self, desk: Desk) -> None:
        stdin = self.block.options.get("stdin")
        shell = ["bash", "-c", self._command]
        if stdin is not None:
            shell = ["bash", "-c", f"printf '%s\\n' '{stdin}' | {{\n{self._command}\n}}"]
        self._process = await trio.lowlevel.open_process(
            shell, stdin=-3, stdout=-1, stderr=-2, cwd=desk.work, env=desk.environ
        )
        await desk.start(self)

    @property
    def said(self) -> str:
        return self._said.decode()

    async def read(self) -> None:
        """Keep what the commands say; it is killed with the desk."""
        try:
            async for data in self._process.stdout:
                self._said += data
                self._notify()
            await self._process.wait()
            self._notify()
        finally:
            if self._process.returncode is None:
                self._process.kill()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def wait_words(self, words: str) -> None:
        while words not in self.said:
            assert self._process.returncode is None, f"{self.block} ended without {words!r}:\n{self.said}"
            await self._changed.wait()

    async def wait(self) -> int:
        while self._process.returncode is None:
            await self._changed.wait()
        return self._process.returncode

    def press_ctrl_c(self) -> None:
        """Send SIGINT to the command that the shell waits for."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        is_shell = Path(f"/proc/{pid}/comm").read_text().strip() == "bash"
        os.kill(int(children[0]) if is_shell and children else pid, signal.SIGINT)


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    """Lay a desk, and clear it at the end of the block."""
    with trio.fail_after(LIMIT_S):
        async with serving(Upstream(provider())) as port, trio.open_nursery() as nursery:
            laid = Desk(folder, port, nursery)
            try:
                yield laid
                await laid.leave()
            finally:
                await laid.clear()
            nursery.cancel_scope.cancel(reason="the page has been read")


def commands_of(console: str) -> list[tuple[str, str]]:
    """Return what is typed in a block of a console, each with what it prints."""
    parts = re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]
    typed = [part.partition("\n") for part in parts]
    return [(command, printed) for command, _, printed in typed]


def pattern_of(printed: str) -> str:
    """Return a pattern for what is printed: numbers, ids and times may be others, `...` and `…` stand for anything."""
    pattern = ""
    for token in re.findall(
        r"\s+|…|\.\.\.|req_\w+|\d{4}-\d\d-\d\dT[\d:.]+Z|/home/me|\?|[\d][\d.,]*|.", printed.strip()
    ):
        if token.isspace():
            pattern += r"\s+"
        elif token in ("…", "..."):
            pattern += r"[\s\S]*?"
        elif token.startswith("req_"):
            pattern += r"req_\w+"
        elif token == "/home/me":
            pattern += r"/\S+/home"
        elif token == "?" or token[0].isdigit():
            pattern += r"(?:\?|\d[\d.,:TZ-]*)"
        else:
            pattern += re.escape(token)
    return pattern
