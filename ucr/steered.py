"""What rules and custom router have said of a request. Pure."""

from dataclasses import dataclass
from typing import Literal

from ucr.config.model import Targets
from ucr.decision import Steering
from ucr.facts import Facts
from ucr.routing import Claim
from ucr.rules import Ruling

CUSTOM = "custom"
"""The route of what the custom router chose."""

Outcome = Literal["chosen", "none", "timeout", "error", "invalid", "busy", "down"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What the custom router says of a request. Without targets the request goes on; `words` say what was wrong."""

    targets: Targets
    outcome: Outcome
    words: str = ""


@dataclass(frozen=True, slots=True)
class Steered:
    """A request as the rules want it, what they changed in it, and what was said of it by whom.

    `facts` are those of the changed request.
    """

    facts: Facts
    notes: tuple[str, ...]
    ruling: Ruling
    advice: Advice | None

    @property
    def steering(self) -> Steering:
        """What rules and custom router come to."""
        ruling, advice = self.ruling, self.advice
        if ruling.claim is None and advice is not None and advice.targets:
            return Steering((Claim("rules", CUSTOM, advice.targets),))
        return Steering(() if ruling.claim is None else (ruling.claim,), ruling.model)
