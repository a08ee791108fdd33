"""The sections of the configuration file that say what things cost, and what is kept of it."""

from ucr.config.field import ID, Field, Section
from ucr.config.kinds import Flag, Number, Text
from ucr.config.model import Usage

_USAGE = Usage()
USD = Number(0, 10**6)

PRICES = Section(
    "prices",
    "What models cost, in USD per million tokens, where the bundled list does not know it or knows it otherwise.",
    (
        Field("provider", ID, "(any)", "Provider whose models these are."),
        Field("model", Text(), "*", "Model, or a pattern such as `gpt-5*`; the first table that fits is used."),
        Field("input", USD, "(required)", "Price of input.", "USD", is_required=True),
        Field("output", USD, "(required)", "Price of output.", "USD", is_required=True),
        Field("cache_read", USD, "(as input)", "Price of input that a provider's cache had.", "USD"),
        Field("cache_write", USD, "(as input)", "Price of input that is kept for five minutes.", "USD"),
        Field("cache_write_1h", USD, "(as cache_write)", "Price of input that is kept for an hour.", "USD"),
    ),
    '[[prices]]\nprovider = "office"\nmodel = "llama*"\ninput = 0.2\noutput = 0.6',
    is_list=True,
)

USAGE = Section(
    "usage",
    "What is kept of requests for `ucr-trio cost`: no word of them, but who asked whom, the tokens and the cost.",
    (
        Field(
            "enabled", Flag(), _USAGE.enabled, "Whether requests are kept; what is spent of budgets always is."
        ),
        Field("keep_days", Number(1, 36_500), _USAGE.keep_days, "How long they are kept.", "days"),
        Field(
            "max_bytes",
            Number(2**20, 2**40, is_whole=True),
            _USAGE.max_bytes,
            "How large their file may grow; then the oldest tenth goes.",
            "bytes",
        ),
    ),
    "[usage]\nkeep_days = 365",
)
