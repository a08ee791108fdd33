"""A custom router: a function of the user's in a process of its own, asked about requests within a limit of time.

How this works. The process is supervised like a slot's worker: it is started again with a growing delay whenever
it ends, and never given up. Whatever goes wrong, nobody who asks gets an error or waits for longer than the
limit: the request goes on as if the function had nothing to say. The function is asked about one request after
another; who is behind a slow one in the queue loses its time with it. A process that owes answers and has given
none for a second is hung, and is ended. When the user's file changes, a second process loads it first, and takes
the place of the former one only when it could.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Protocol

import trio

from actors import Intensity
from ucr.config.model import Config
from ucr.custom_talk import LIMITS, CustomError, Process, Talk, TalkLimits
from ucr.custom_view import Nonsense, targets_of, view_of
from ucr.facts import Facts
from ucr.logs import Log
from ucr.steered import Advice, Outcome
from ucr.watch import signature_of, watch

INTENSITY = Intensity(max_crashes=3, window_s=60.0, first_delay_s=0.2, max_delay_s=30.0, gives_up=False)
"""The custom router is never given up: its delay stays at half a minute while its processes end."""

NAME = "ucr:custom-router"
OVERLAP_S = 0.2
"""How long a process that was replaced may still answer; nobody waits for it any longer."""


class CustomRouterEnded(Exception):
    """The process of the custom router has ended, or could not be used; the message says why."""


class Start(Protocol):
    """Starts the process for a file; raises `OSError`."""

    def __call__(self, place: str, memory_bytes: int) -> tuple[Process, trio.abc.Stream]: ...


class CustomRouter:
    """The child of the supervisor. `count` hears the outcome of each question."""

    essential = False
    restart: Literal["permanent", "transient", "temporary"] = "permanent"

    def __init__(
        self,
        config: Config,
        start: Start,
        log: Log,
        count: Callable[[Outcome], None],
        name: str = NAME,
        limits: TalkLimits = LIMITS,
    ) -> None:
        self._place = config.router.custom or ""
        self._start = partial(start, self._place, config.router.custom_memory_bytes)
        self._log = log
        self._count = count
        self._name = name
        self._limits = limits
        self._talk: Talk | None = None
        self._told: set[str] = set()
        self._tried = trio.Event()
        self.trouble: str | None = None

    def __repr__(self) -> str:
        return f"<CustomRouter {self._place}: {self._talk!r}>"

    @property
    def name(self) -> str:
        return self._name

    async def wait_tried(self) -> str | None:
        """Wait until the function is loaded, or could not be; return why not."""
        await self._tried.wait()
        return self.trouble

    async def advice(self, facts: Facts, config: Config) -> Advice:
        """Ask the function about a request. Raises nothing, and takes no longer than the limit."""
        try:
            if self._talk is None:
                raise CustomError("down", "it is not running")
            view = view_of(facts, with_body=config.router.custom_sees == "body")
            targets = targets_of(await self._talk.ask(view), config)
        except CustomError as error:
            return self._failed(error.kind, str(error))
        except Nonsense as error:
            return self._failed("invalid", str(error))
        outcome: Outcome = "chosen" if targets else "none"
        self._count(outcome)
        return Advice(targets, outcome)

    def _failed(self, kind: Outcome, words: str) -> Advice:
        self._count(kind)
        if kind not in self._told:
            self._told.add(kind)
            self._log.warning("custom_router.failed", kind=kind, error=words, file=self._place)
        return Advice((), kind, words)

    async def run(self) -> None:
        """Keep a process as long as it lives; raises `CustomRouterEnded`."""
        async with trio.open_nursery() as nursery:
            why = await self._keep(nursery)
            nursery.cancel_scope.cancel(reason=why)
        raise CustomRouterEnded(why)

    async def _keep(self, nursery: trio.Nursery) -> str:
        seen = signature_of(self._place)
        self._talk, self.trouble = await self._begun(nursery)
        self._tried.set()
        if self._talk is None:
            return self.trouble or ""
        nursery.start_soon(watch, lambda: self._place, partial(self._renew, nursery), seen)
        while True:
            talk = self._talk
            await talk.over.wait()
            if talk is self._talk:
                self._talk = None
                return talk.why

    async def _begun(self, nursery: trio.Nursery) -> tuple[Talk | None, str | None]:
        """Start a process in the nursery of `run`; return it when it is ready, or why it is not."""
        try:
            talk = Talk(*self._start(), self._limits)
        except OSError as error:
            return None, f"no process can be started: {error}"
        nursery.start_soon(talk.run)
        with trio.move_on_after(self._limits.start_s):
            await talk.settled.wait()
        if talk.is_ready:
            self._log.info("custom_router.loaded", file=self._place, pid=talk.pid)
            return talk, None
        talk.end(talk.why or f"the file was not loaded within {self._limits.start_s:g} s")
        return None, talk.why

    async def _renew(self, nursery: trio.Nursery) -> None:
        """Let a process that loads the changed file take over; one that cannot changes nothing."""
        talk, why = await self._begun(nursery)
        if talk is None:
            self._log.error("custom_router.rejected", file=self._place, error=why)
            return
        before, self._talk = self._talk, talk
        self._told.clear()
        if before is not None:
            await trio.sleep(OVERLAP_S)
            before.end("its file has changed")

    def crashed(self, error: BaseException | None) -> None:
        """Whoever was waiting has been told already."""
        self._talk = None
        if not self._tried.is_set():
            self.trouble = str(error)
            self._tried.set()

    def gave_up(self) -> None:
        """Never happens: the intensity does not give up."""

    def inside(self) -> Any:
        """Return nothing: what is in the process is its own business."""
        return None

    async def drain(self) -> None:
        """Nothing is worth waiting for."""
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """The process was ended when `run` was cancelled."""
        await trio.lowlevel.checkpoint()
