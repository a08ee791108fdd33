"""The custom router of a worker, whose processes are tasks. Real ones are in `test_custom_process`."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

from actors import Supervisor, open_supervisor
from tests.world.custom import (
    Behaviour,
    CustomStage,
    answering,
    custom_stage,
    dying,
    failing,
    hanging,
    silent,
)
from ucr.config.model import Config, ModelTarget, Provider, Router
from ucr.custom import INTENSITY, NAME, CustomRouter
from ucr.custom_talk import LIMITS
from ucr.dialects.roles import Request
from ucr.facts import Facts
from ucr.watch import DEBOUNCE_S, POLL_S

FACTS = Facts(Request("anthropic", b"{}", {}, "m", False, {}))
A = (ModelTarget("a", "x"),)


@dataclass
class Scene:
    """A custom router and its surroundings; `lines` are what it logs."""

    stage: CustomStage
    router: CustomRouter
    config: Config
    supervisor: Supervisor
    counted: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def ask(self) -> tuple[tuple[ModelTarget, ...], str]:
        advice = await self.router.advice(FACTS, self.config)
        return advice.targets, advice.outcome

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.lines if name == event]


class Lines:
    """A log that keeps its lines."""

    def __init__(self, lines: list[tuple[str, dict[str, Any]]]) -> None:
        self._lines = lines

    def info(self, event: str, **fields: Any) -> None:
        self._lines.append((event, fields))

    warning = error = info


@asynccontextmanager
async def scene(behave: Behaviour, place: str = "router.py") -> AsyncIterator[Scene]:
    config = Config(
        providers=(
            Provider("a", "anthropic", "http://a.test"),
            Provider("off", "anthropic", "", enabled=False),
        ),
        router=Router(custom=place),
    )
    counted: Counter[str] = Counter()
    lines: list[tuple[str, dict[str, Any]]] = []
    async with custom_stage(behave) as stage, open_supervisor(rng=lambda: 1.0) as supervisor:
        log: Any = Lines(lines)
        router = CustomRouter(config, stage.start, log, lambda outcome: counted.update([outcome]))
        await supervisor.start(router, intensity=INTENSITY)
        await router.wait_tried()
        yield Scene(stage, router, config, supervisor, counted, lines)


async def test_what_the_function_names_is_who_is_asked(autojump_clock: object) -> None:
    async with scene(answering(lambda request: "a/x")) as on:
        assert await on.ask() == (A, "chosen")
        assert on.counted == {"chosen": 1}
        assert on.logged("custom_router.loaded") == [{"file": "router.py", "pid": 100}]
        assert on.stage.starts == [("router.py", 536_870_912)]
        assert repr(on.router).startswith("<CustomRouter router.py: <Talk with process 100: ready")
        assert (on.router.name, on.router.inside()) == (NAME, None)


@pytest.mark.parametrize(
    ("result", "outcome"),
    [(None, "none"), ("nobody/x", "invalid"), ("off", "invalid"), (7, "invalid"), ([], "invalid")],
)
async def test_what_names_nobody_leaves_the_order_as_it_is(
    autojump_clock: object, result: object, outcome: str
) -> None:
    async with scene(answering(lambda request: result)) as on:
        assert await on.ask() == ((), outcome)
        assert on.counted == {outcome: 1}


async def test_each_kind_of_failure_is_logged_once_and_counted_each_time(autojump_clock: object) -> None:
    async with scene(answering(lambda request: "nobody")) as on:
        for _ in range(3):
            await on.ask()
        (line,) = on.logged("custom_router.failed")
        assert (line["kind"], line["file"]) == ("invalid", "router.py")
        assert "'nobody'" in line["error"]
        assert on.counted == {"invalid": 3}


async def test_a_hung_process_is_replaced_and_meanwhile_requests_go_on(autojump_clock: object) -> None:
    async with scene(hanging) as on:
        assert (await on.ask())[1] == "timeout"
        on.stage.behave = answering(lambda request: "a/x")
        await trio.sleep(0.95)
        assert (await on.ask())[1] == "down"
        await trio.sleep(1)
        assert await on.ask() == (A, "chosen")
        assert [process.pid for process in on.stage.living] == [101]


async def test_a_process_that_ends_is_started_again_with_a_growing_delay(autojump_clock: object) -> None:
    async with scene(dying) as on:
        moments: list[float] = []
        for _ in range(12):
            before = len(on.stage.processes)
            await on.ask()
            began = trio.current_time()
            while len(on.stage.processes) == before:  # noqa: ASYNC110 - a process gives no event
                await trio.sleep(0.01)
            moments.append(round(trio.current_time() - began, 1))
            await trio.sleep(0.01)
        assert moments[0] < 0.5
        assert moments == sorted(moments)
        assert moments[-1] == 30.0
        (child,) = on.supervisor.statistics()
        assert (child.given_up, child.crashes) == (False, 12)


@pytest.mark.parametrize(
    ("behave", "words"), [(failing, "SyntaxError: no"), (silent, f"not loaded within {LIMITS.start_s:g} s")]
)
async def test_a_file_that_cannot_be_loaded_is_known_and_tried_again(
    autojump_clock: object, behave: Behaviour, words: str
) -> None:
    async with scene(behave) as on:
        assert words in (on.router.trouble or "")
        assert await on.ask() == ((), "down")
        on.stage.behave = answering(lambda request: "a/x")
        await trio.sleep(1)
        assert await on.ask() == (A, "chosen")
        assert await on.router.wait_tried() is None


async def test_a_process_that_cannot_be_started_is_known(autojump_clock: object) -> None:
    async with scene(answering(lambda request: None)) as on:

        def refuse(_place: str, _memory_bytes: int) -> Any:
            raise OSError("no more processes")

        log: Any = Lines(on.lines)
        router = CustomRouter(on.config, refuse, log, lambda outcome: None, "other")
        await on.supervisor.start(router, intensity=INTENSITY)
        assert await router.wait_tried() == "no process can be started: no more processes"
        assert (await router.advice(FACTS, on.config)).outcome == "down"


async def test_a_changed_file_is_loaded_beside_the_former_one(autojump_clock: object, tmp_path: Path) -> None:
    place = tmp_path / "router.py"
    place.write_text("1")
    async with scene(answering(lambda request: "a/x"), str(place)) as on:
        on.stage.behave = answering(lambda request: "a/new")
        place.write_text("changed")
        await trio.sleep(POLL_S + DEBOUNCE_S + 1)
        assert await on.ask() == ((ModelTarget("a", "new"),), "chosen")
        assert [process.pid for process in on.stage.living] == [101]
        (child,) = on.supervisor.statistics()
        assert child.crashes == 0


async def test_a_changed_file_that_cannot_be_loaded_changes_nothing(
    autojump_clock: object, tmp_path: Path
) -> None:
    place = tmp_path / "router.py"
    place.write_text("1")
    async with scene(answering(lambda request: "a/x"), str(place)) as on:
        on.stage.behave = failing
        place.write_text("changed")
        await trio.sleep(POLL_S + DEBOUNCE_S + 1)
        assert await on.ask() == (A, "chosen")
        (line,) = on.logged("custom_router.rejected")
        assert "SyntaxError: no" in line["error"]
        assert [process.pid for process in on.stage.living] == [100]


async def test_the_process_ends_with_the_supervisor(autojump_clock: object) -> None:
    async with scene(hanging) as on:
        await on.supervisor.stop(NAME)
        assert on.stage.living == []
