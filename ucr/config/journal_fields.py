"""The section of the configuration file that says what the journal keeps."""

from ucr.config.field import Field, Section
from ucr.config.kinds import Flag, Number
from ucr.config.model import Journal

_JOURNAL = Journal()

JOURNAL = Section(
    "journal",
    "What is kept of every request for `ucr-trio logs`, `explain --id` and `replay`.",
    (
        Field("enabled", Flag(), _JOURNAL.enabled, "Whether requests are kept."),
        Field("keep_days", Number(0.01, 36_500), _JOURNAL.keep_days, "How long they are kept.", "days"),
        Field(
            "max_bytes",
            Number(2**20, 2**40, is_whole=True),
            _JOURNAL.max_bytes,
            "How large their file may grow; then the oldest go.",
            "bytes",
        ),
        Field(
            "bodies",
            Flag(),
            _JOURNAL.bodies,
            "Whether what was asked and answered is kept too, without what looks like a key.",
        ),
        Field(
            "body_bytes",
            Number(1024, 4 * 2**20, is_whole=True),
            _JOURNAL.body_bytes,
            "So much is kept of a body.",
            "bytes",
        ),
    ),
    "[journal]\nkeep_days = 1\nbodies = true",
)
