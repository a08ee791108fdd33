"""One process of a custom router, and what it is being asked: bounded in number, bytes and time."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import trio

from actors.errors import WireError
from actors.wire import FrameDecoder, frame
from ucr import jsontext
from ucr.jsontext import JsonError

END_S = 1.0
PENDING_LIMIT = 32
QUEUED_LIMIT_BYTES = 8 * 1024 * 1024
REPLY_LIMIT_BYTES = 128 * 1024
_READ_BYTES = 65_536

Kind = Literal["timeout", "error", "busy", "down"]


class CustomError(Exception):
    """The function gave no answer; `kind` says what went wrong, the message says it in words."""

    def __init__(self, kind: Kind, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class Process(Protocol):
    """A process that has been started."""

    @property
    def pid(self) -> int: ...

    def kill(self) -> None: ...

    async def wait(self) -> object: ...


@dataclass(frozen=True, slots=True)
class TalkLimits:
    """How long a request waits for the function, after how long a process that owes answers and gives none is
    ended, and how long it has to load its file."""

    answer_s: float = 0.1
    hung_s: float = 1.0
    start_s: float = 5.0


LIMITS = TalkLimits()


@dataclass(slots=True)
class _Question:
    """One that has been asked; `reply` is the frame that answered it, None when the process ended before."""

    asked_s: float
    reply: dict[str, Any] | None = None
    answered: trio.Event = field(default_factory=trio.Event)


class Talk:
    """Asks one process. `settled` is set when it is ready or over; `why` says why it is over."""

    def __init__(self, process: Process, stream: trio.abc.Stream, limits: TalkLimits = LIMITS) -> None:
        self.pid = process.pid
        self.why = ""
        self.is_ready = False
        self.settled = trio.Event()
        self.over = trio.Event()
        self._process = process
        self._stream = stream
        self._limits = limits
        self._scope = trio.CancelScope()
        self._pending: dict[int, _Question] = {}
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._asked = trio.Event()
        self._number = 0
        self._progress_s = 0.0

    def __repr__(self) -> str:
        state = "over" if self.over.is_set() else "ready" if self.is_ready else "starting"
        return (
            f"<Talk with process {self.pid}: {state}, {len(self._pending)} asked, {self._queued_bytes} bytes>"
        )

    async def ask(self, view: bytes) -> Any:
        """Return what the function returns for this view, which is JSON; raise `CustomError`."""
        if self.why or not self.is_ready:
            raise CustomError("down", self.why or "it is starting")
        if len(self._pending) >= PENDING_LIMIT or self._queued_bytes + len(view) > QUEUED_LIMIT_BYTES:
            raise CustomError("busy", f"{len(self._pending)} requests wait for it already")
        if self._pending and trio.current_time() > self._last_s() + self._limits.answer_s:
            raise CustomError("busy", "another request still waits for it, longer than the limit")
        self._number += 1
        question = self._pending[self._number] = _Question(trio.current_time())
        self._put(frame(b'{"id":%d,"request":%b}' % (self._number, view)))
        with trio.move_on_after(self._limits.answer_s):
            await question.answered.wait()
        if not question.answered.is_set():
            await trio.lowlevel.checkpoint()  # what came while this process stood still is read first
        if question.reply is None:
            if question.answered.is_set():
                raise CustomError("down", self.why)
            raise CustomError("timeout", f"it did not answer within {self._limits.answer_s * 1000:.0f} ms")
        if "error" in question.reply:
            raise CustomError("error", str(question.reply["error"]))
        return question.reply.get("result")

    def _put(self, data: bytes) -> None:
        self._queue.append(data)
        self._queued_bytes += len(data)
        self._asked.set()
        self._asked = trio.Event()

    def end(self, why: str) -> None:
        """End the process."""
        self.why = self.why or why or "it was ended"
        self._scope.cancel(reason=self.why)

    async def run(self) -> None:
        """Talk to the process until it ends; then it is gone, and everybody who waited is told."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read)
                    nursery.start_soon(self._write)
                    nursery.start_soon(self._watch)
        finally:
            self._close()
            with trio.move_on_after(END_S, shield=True):
                await trio.aclose_forcefully(self._stream)
                await self._process.wait()  # what was killed is reaped, and ends at once
            self.over.set()

    def _close(self) -> None:
        self.why = self.why or "it was ended"
        self._process.kill()
        self.settled.set()
        for question in self._pending.values():
            question.answered.set()
        self._pending.clear()
        self._queue.clear()
        self._queued_bytes = 0

    async def _read(self) -> None:
        decoder = FrameDecoder(REPLY_LIMIT_BYTES)
        try:
            while data := await self._stream.receive_some(_READ_BYTES):
                for body in decoder.feed(bytes(data)):
                    self._heard(jsontext.loads(body))
            self.end("its process has ended")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.end("its process has ended")
        except (WireError, JsonError, KeyError, TypeError) as error:
            self.end(f"it wrote what is no answer: {error}")

    def _heard(self, reply: dict[str, Any]) -> None:
        self._progress_s = trio.current_time()
        if "failed" in reply:
            self.end(f"its file could not be loaded: {reply['failed']}")
        elif "ready" in reply:
            self.is_ready = True
            self.settled.set()
        elif (question := self._pending.pop(reply["id"], None)) is not None:
            question.reply = reply
            question.answered.set()

    async def _write(self) -> None:
        try:
            while True:
                while not self._queue:
                    await self._asked.wait()
                data = self._queue.popleft()
                await self._stream.send_all(data)
                self._queued_bytes -= len(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.end("its process has ended")

    def _last_s(self) -> float:
        """Return since when an answer is owed, and none has come."""
        return max(next(iter(self._pending.values())).asked_s, self._progress_s)

    async def _watch(self) -> None:
        """End a process that owes answers and gives none."""
        while not self.why:
            while not self._pending:
                await self._asked.wait()
            deadline = self._last_s() + self._limits.hung_s
            if trio.current_time() >= deadline:
                self.end(f"it gave no answer for {self._limits.hung_s:g} s")
            await trio.sleep_until(deadline)
            await trio.lowlevel.checkpoint()  # as above: it is not to be ended for what it has answered
