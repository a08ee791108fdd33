"""Every error that this library raises on purpose.

    ActorError
    ├─ MailboxFull      too many ask already; nothing was done: try another actor, or later
    ├─ AskTimeout       the asker's own deadline passed; nothing was done, and the answer is thrown away
    ├─ ActorCrashed     the actor failed with this ask in hand; it may be asked again
    ├─ ActorStopped     the actor has ended for good: ask another one
    ├─ Refusal          the actor answered "no", as it should
    │  ├─ Draining      it takes no new work: ask another one
    │  ├─ LimitReached  as much as may be was used already: later
    │  ├─ AllowanceSpent  so much is not left of what may be spent
    │  ├─ BreakerOpen   its upstream fails: ask another one, or again at `retry_at`
    │  └─ CoolingDown   all keys of its upstream have to rest: the same
    ├─ ChildGaveUp      an essential child crashed too often; its supervisor ends
    ├─ WireError        what another process sent, or was to be sent to it, cannot travel
    └─ PoolError        an HTTP exchange with an upstream failed

An ask that raises one of these has left nothing behind: no permit is held and no work goes on.
"""

from typing import Literal

KeyFault = Literal["rate_limit", "quota", "auth"]
PoolFault = Literal["connect", "timeout", "reset", "protocol", "too_large"]
Phase = Literal["connect", "first_byte", "idle"]


class ActorError(Exception):
    """The root: catch it to catch whatever this library raises on purpose."""


class MailboxFull(ActorError):
    """The actor has as many unanswered asks as it may have, or it found no time for this one."""


class AskTimeout(ActorError):
    """The deadline that the asker gave has passed."""


class ActorCrashed(ActorError):
    """The actor raised while it held this ask; `__cause__` is what it raised."""


class ActorStopped(ActorError):
    """The actor was stopped or has given up, and nobody will answer."""


class Refusal(ActorError):
    """An expected "no". An actor gives it as an answer, and the asker gets it raised."""


class Draining(Refusal):
    """The actor finishes what it has and takes nothing new."""


class BreakerOpen(Refusal):
    """Too many calls failed. `retry_at`, a time of Trio's clock, is when it is worth asking again."""

    def __init__(self, message: str, retry_at: float) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class CoolingDown(Refusal):
    """The upstream turned every key away. `retry_at` is when the first of them may be used again, and
    `kind` is why it could not."""

    def __init__(self, message: str, retry_at: float, kind: KeyFault) -> None:
        super().__init__(message)
        self.retry_at = retry_at
        self.kind: KeyFault = kind


class ChildGaveUp(ActorError):
    """A child without which its supervisor is useless crashed too often."""


class WireError(ActorError):
    """Bytes of another process that are no message, or a message that cannot become bytes."""


class PoolError(ActorError):
    """An exchange with an upstream failed; its connection is closed.

    `kind` is what went wrong, `phase` how far the exchange was: in "connect" not one byte of the request was
    sent, so that a retry is always safe; in "first_byte" the upstream may have the request but has not given
    a whole head; in "idle" the body was on its way. `is_shortage` is true when the upstream has no part in it:
    this system had no descriptor or memory for a connection.
    """

    def __init__(self, kind: PoolFault, message: str, *, phase: Phase, is_shortage: bool = False) -> None:
        super().__init__(message)
        self.kind: PoolFault = kind
        self.message = message
        self.phase: Phase = phase
        self.is_shortage = is_shortage

    def __repr__(self) -> str:
        return f"PoolError({self.kind} in {self.phase}: {self.message!r})"


class LimitReached(Refusal):
    """What is limited for all is used up. `key` is the limit, `retry_after_s` when something may be free."""

    def __init__(self, message: str, *, key: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.key = key
        self.retry_after_s = retry_after_s


class AllowanceSpent(Refusal):
    """So much is not left: `spent` of it is spent, and `held` for what is going on."""

    def __init__(self, message: str, *, spent: int = 0, held: int = 0) -> None:
        super().__init__(message)
        self.spent = spent
        self.held = held
