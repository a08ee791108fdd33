"""What a Claude model takes and refuses, read from its name.

Source: Anthropic's API changes of 2026 as the model capabilities of the public SDKs state them. `None` for the
family of a name means "not a Claude that we know": nothing is then changed for it.
"""

import re
from dataclasses import dataclass
from typing import Literal

Version = tuple[int, int]

_NAME = re.compile(
    r"claude-(?:(?P<old_major>\d)(?:[-.](?P<old_minor>\d))?-)?(?P<kind>opus|sonnet|haiku|fable|mythos)"
    r"(?:-(?P<major>\d{1,2})(?!\d)(?:[-.](?P<minor>\d{1,2})(?!\d))?)?",
    re.IGNORECASE,
)

DEFAULT_OUTPUT_TOKENS = 8192
"""The output limit for a model of which nothing is known: what small local servers still accept."""


@dataclass(frozen=True, slots=True)
class Family:
    """A line of models: `kind` is opus, sonnet, haiku, fable or mythos; 3.7 is the version (3, 7)."""

    kind: str
    version: Version

    @property
    def thinking(self) -> Literal["none", "budget", "both", "adaptive"]:
        """How thinking is asked for: not at all, by budget only, either way, or adaptive only."""
        if self.version < (3, 7):
            return "none"
        if self.version < (4, 6):
            return "budget"
        return "both" if self.version == (4, 6) else "adaptive"

    @property
    def takes_sampling(self) -> bool:
        """False when temperature, top_p and top_k are refused."""
        return self.version < (4, 7)

    @property
    def takes_disabled_thinking(self) -> bool:
        """False when thinking cannot be switched off."""
        return self.kind not in ("fable", "mythos")

    @property
    def limits_disabled_effort(self) -> bool:
        """True when disabled thinking allows no effort above high."""
        return self.kind == "opus" and self.version >= (5, 0)

    @property
    def takes_system_turns(self) -> bool:
        """True when `messages` may hold turns of the role system."""
        return self.version >= (5, 0) or (self.kind == "opus" and self.version >= (4, 8))

    @property
    def takes_prefill(self) -> bool:
        """True when the last turn may be the assistant's, to be gone on with."""
        return self.version < (4, 6)

    @property
    def ignores_foreign_thinking(self) -> bool:
        """True when another model's thinking is dropped in silence, False when it is refused."""
        return self.version >= (5, 0)

    @property
    def output_tokens(self) -> int:
        """The output limit to ask for when the client names none."""
        if self.version < (3, 5):
            return 4096
        if self.version < (3, 7):
            return 8192
        return 32_000 if self.kind == "opus" and self.version < (4, 5) else 64_000


def family_of(model: str) -> Family | None:
    """Return the family of a model's name, whatever platform spells it; None for any other model."""
    match = _NAME.search(model)
    if match is None:
        return None
    major = match["old_major"] or match["major"]
    minor = match["old_minor"] or match["minor"]
    if major is None:
        return None
    return Family(match["kind"].lower(), (int(major), int(minor or 0)))
