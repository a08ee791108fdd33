"""A small actor for tests of the kernel: it answers, keeps, refuses or crashes as it is told."""

from dataclasses import dataclass
from typing import Any, assert_never

from actors.errors import Draining
from actors.mailbox import Reply
from actors.ref import Question


@dataclass(frozen=True, slots=True)
class Say(Question[str]):
    """Answered with the same text and the number of the incarnation."""

    text: str


@dataclass(frozen=True, slots=True)
class Keep(Question[str]):
    """Kept until `Release` answers it."""

    text: str


@dataclass(frozen=True, slots=True)
class Release:
    """Answer everything that is kept."""


@dataclass(frozen=True, slots=True)
class RefuseMe(Question[str]):
    """Refused with `Draining`."""


@dataclass(frozen=True, slots=True)
class Crash(Question[str]):
    """Makes the actor raise."""


EchoMessage = Say | Keep | Release | RefuseMe | Crash


class Echo:
    """One incarnation. `fatal_message` is the number of the message at which it crashes whatever it is."""

    def __init__(self, incarnation: int = 1, *, fatal_message: int = 0) -> None:
        self._incarnation = incarnation
        self._kept: list[tuple[Keep, Reply[str]]] = []
        self._countdown = fatal_message

    def receive(self, message: EchoMessage, reply: Reply[Any]) -> None:
        self._countdown -= 1
        if self._countdown == 0:
            raise ValueError("the fatal message")
        match message:
            case Say(text=text):
                reply.answer(f"{text} from {self._incarnation}")
            case Keep():
                self._kept.append((message, reply))
            case Release():
                for kept, slot in self._kept:
                    slot.answer(f"{kept.text} from {self._incarnation}")
                self._kept.clear()
            case RefuseMe():
                reply.refuse(Draining("not now"))
            case Crash():
                raise ValueError("told to crash")
            case other:
                assert_never(other)
