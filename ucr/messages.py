"""What the parent and its workers say to each other. Everything here is data that travels.

A worker is ready when it has answered its first `Reconfigure`. Times travel as remaining seconds.
"""

from dataclasses import dataclass

from actors import Codec, Question, Refusal
from ucr.config.model import Config


@dataclass(frozen=True, slots=True)
class Applied:
    """The worker serves this generation of the configuration."""

    generation: int


class Rejected(Refusal):
    """The worker could not take a configuration over and serves the one that it had, if any."""


@dataclass(frozen=True, slots=True)
class Reconfigure(Question[Applied]):
    """To a worker: serve this. Refused with `Rejected`."""

    generation: int
    config: Config


@dataclass(frozen=True, slots=True)
class Drain:
    """To a worker: take nothing new, give what is open this long, and end."""

    grace_s: float


@dataclass(frozen=True, slots=True)
class Beat:
    """To the parent, each second: the worker's loop turns."""


ToWorker = Reconfigure | Drain
ToParent = Beat

CODEC = Codec((Applied, Reconfigure, Drain, Beat), (Rejected,))
