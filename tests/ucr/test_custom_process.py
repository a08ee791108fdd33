"""Custom routers in real processes. Whoever is to answer has all the time that he needs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from actors import open_supervisor
from ucr.config.model import Config, Provider, Router
from ucr.custom import INTENSITY, CustomRouter
from ucr.custom_process import PASSED_ON, environment_of, start
from ucr.custom_talk import TalkLimits
from ucr.dialects.roles import Request
from ucr.facts import Facts
from ucr.steered import Advice

PATIENT = TalkLimits(answer_s=60.0, hung_s=120.0, start_s=120.0)
MEMORY_BYTES = 256 * 1024 * 1024

ROUTER = """
import json, os, resource, sys, time

print("said while it is loaded")

def route(request):
    print("said while it is asked")
    model = request["model"]
    if model == "state":
        state = {"variables": sorted(os.environ), "files": os.listdir("/proc/self/fd"), "pid": os.getpid()}
        return "a/" + json.dumps(state)
    if model == "hog":
        return "a/" + str(len(bytearray(1 << 40)))
    if model == "hang":
        while True:
            pass
    if model == "exit":
        os._exit(3)
    if model == "leave":
        sys.exit("enough")
    if model == "sleep":
        time.sleep(3600)
    if model == "fork-limits":
        return "a/" + str(resource.getrlimit(resource.RLIMIT_CORE)[0])
    return "a/" + model
"""

pytestmark = pytest.mark.slow


class Silence:
    """A log that nobody reads."""

    def info(self, event: str, **fields: Any) -> None: ...

    warning = error = info


@asynccontextmanager
async def routing(folder: Path, limits: TalkLimits = PATIENT) -> AsyncIterator[CustomRouter]:
    place = folder / "router.py"
    place.write_text(ROUTER)
    async with open_supervisor(rng=lambda: 0.0) as supervisor:
        log: Any = Silence()
        router = CustomRouter(config_of(place), start, log, lambda outcome: None, limits=limits)
        await supervisor.start(router, intensity=INTENSITY)
        assert await router.wait_tried() is None
        yield router


def config_of(place: Path) -> Config:
    router = Router(custom=str(place), custom_memory_bytes=MEMORY_BYTES)
    return Config(providers=(Provider("a", "anthropic", "http://a.test"),), router=router)


async def ask(router: CustomRouter, model: str) -> Advice:
    facts = Facts(Request("anthropic", b"{}", {}, model, False, {}))
    return await router.advice(facts, config_of(Path("router.py")))


async def named(router: CustomRouter, model: str) -> str:
    """Return the model that the function names, asked until a process is there that answers."""
    with trio.fail_after(120):
        while not (advice := await ask(router, model)).targets:  # noqa: ASYNC110 - a process gives no event
            await trio.sleep(0.05)
    return advice.targets[0].model or ""


async def test_it_has_nothing_of_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "planted-secret")
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    try:
        async with routing(tmp_path) as router:
            state = json.loads(await named(router, "state"))
    finally:
        os.close(reader)
        os.close(writer)
    assert set(state["variables"]) <= {*PASSED_ON, "LC_CTYPE"}
    assert len(state["files"]) == 5  # the standard ones, the socket, and the listing itself


def test_the_environment_is_a_few_harmless_variables() -> None:
    assert environment_of({"PATH": "/bin", "OPENAI_API_KEY": "k", "LANG": "C"}) == {"PATH": "/bin", "LANG": "C"}


async def test_printing_disturbs_nothing(tmp_path: Path) -> None:
    async with routing(tmp_path) as router:
        assert [await named(router, "x") for _ in range(3)] == ["x"] * 3


async def test_memory_beyond_the_limit_is_an_error_of_the_function(tmp_path: Path) -> None:
    async with routing(tmp_path) as router:
        advice = await ask(router, "hog")
        assert advice.outcome == "error"
        assert advice.words.startswith("MemoryError")
        assert await named(router, "x") == "x"
        assert await named(router, "fork-limits") == "0"


@pytest.mark.parametrize("model", ["exit", "leave"])
async def test_one_that_exits_is_started_again(tmp_path: Path, model: str) -> None:
    async with routing(tmp_path) as router:
        former = json.loads(await named(router, "state"))["pid"]
        assert (await ask(router, model)).outcome == "down"
        assert json.loads(await named(router, "state"))["pid"] != former


async def test_one_that_hangs_is_ended_and_started_again(tmp_path: Path) -> None:
    limits = TalkLimits(answer_s=0.1, hung_s=0.5, start_s=120.0)
    async with routing(tmp_path, limits) as router:
        assert (await ask(router, "hang")).outcome == "timeout"
        with trio.fail_after(120):
            while (await ask(router, "x")).outcome != "down":  # noqa: ASYNC110 - the same
                await trio.sleep(0.05)
        assert await named(router, "x") == "x"


async def test_kill_9_in_the_middle_of_a_question_is_told_at_once(tmp_path: Path) -> None:
    async with routing(tmp_path) as router:
        pid = json.loads(await named(router, "state"))["pid"]
        heard: list[Advice] = []

        async def wait() -> None:
            heard.append(await ask(router, "sleep"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            os.kill(pid, signal.SIGKILL)
        assert [advice.outcome for advice in heard] == ["down"]
        assert await named(router, "x") == "x"


async def test_it_ends_with_the_worker_and_leaves_nothing(tmp_path: Path) -> None:
    async with routing(tmp_path) as router:
        pid = json.loads(await named(router, "state"))["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


ORPHAN = """
import sys
from ucr.custom_process import start
process, stream = start(sys.argv[1], 1 << 29)
print(process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_a_hung_one_dies_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "router.py"
    place.write_text("while True: pass")
    worker = subprocess.Popen(  # noqa: ASYNC220 - it has to be started by this very thread
        [sys.executable, "-c", ORPHAN, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        descriptor = os.pidfd_open(pid)
        worker.kill()
        with trio.fail_after(60):
            await trio.lowlevel.wait_readable(descriptor)
        os.close(descriptor)
