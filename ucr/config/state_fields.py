"""The section of the configuration file about the vault, which keeps what providers want back."""

from ucr.config.field import COUNT, SECONDS, Field, Section
from ucr.config.kinds import Flag, Number
from ucr.config.model import State

_STATE = State()

STATE = Section(
    "state",
    "What providers want back of their earlier turns, kept for clients that do not bring it; see [translation.md](translation.md).",
    (
        Field("enabled", Flag(), _STATE.enabled, "Whether anything is kept."),
        Field("ttl_s", SECONDS, _STATE.ttl_s, "How long a state is kept that nobody wants.", "s"),
        Field("max_entries", COUNT, _STATE.max_entries, "Number of tool calls whose state is kept."),
        Field(
            "max_bytes",
            Number(2**20, 2**40, is_whole=True),
            _STATE.max_bytes,
            "Memory that they may take: once for all workers.",
            "bytes",
        ),
    ),
    "[state]\nttl_s = 86400",
)
