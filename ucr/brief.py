"""Asking an actor of this machine what one can do without: only for a short time, and for less once it was in vain."""

from typing import Any

import trio

from actors import AskTimeout, Ref
from actors.ref import Answer, Question

ANSWER_S = 0.25
"""How long is waited: while this worker is busy itself, an answer that has come waits to be read."""

LATE_ANSWER_S = 0.05
"""How long after a time without an answer, until one comes within it."""


class Brief:
    """The patience with one actor."""

    __slots__ = ("_within_s",)

    def __init__(self) -> None:
        self._within_s = ANSWER_S

    def __repr__(self) -> str:
        return f"<Brief: {self._within_s} s>"

    async def ask(self, ref: Ref[Any], question: Question[Answer]) -> Answer:
        """Ask; raise `ActorError`, of which `AskTimeout` says that no answer came in time."""
        try:
            answer = await ref.ask(question, deadline=trio.current_time() + self._within_s)
        except AskTimeout:
            self._within_s = LATE_ANSWER_S
            raise
        self._within_s = ANSWER_S
        return answer
