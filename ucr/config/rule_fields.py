"""The keys of `[[router.rules]]` and of its tables."""

from ucr.config.field import Field
from ucr.config.kinds import Number, Table, TargetList, Text
from ucr.config.rule_kinds import (
    Clock,
    Days,
    FieldTests,
    HeaderTests,
    Patterns,
    Removals,
    Settings,
    Weights,
    Zone,
)

TOKENS = Number(0, 10**9, is_whole=True)
NAME = Text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", "up to 60 letters, digits, dots, dashes and underscores")

COMPARED_TOKENS = (
    Field("greater", TOKENS, "(none)", "The request has more.", "tokens"),
    Field("less", TOKENS, "(none)", "The request has fewer.", "tokens"),
)

TIME = (
    Field("from", Clock(), "00:00", "When the span begins."),
    Field("to", Clock(), "24:00", "When it ends; one that ends before it begins goes past midnight."),
    Field("days", Days(), "(all)", "Days on which the span begins."),
    Field("zone", Zone(), "UTC", "Time zone of the clock."),
)

WHEN = (
    Field("model", Patterns(), "(any)", "The model asked for."),
    Field("dialect", Patterns(), "(any)", "The protocol that the client speaks."),
    Field("client", Patterns(), "(any)", "The name of the client whose key it is."),
    Field("headers", HeaderTests(), {}, "Headers; true and false ask whether one is there at all."),
    Field(
        "body",
        FieldTests(),
        {},
        "Fields of the body by dotted path: a pattern, a value, or a table of `equals`, `like`, `exists`, "
        "`greater` and `less`.",
    ),
    Field("tokens", Table(), {}, "The size of the request, estimated.", fields=COMPARED_TOKENS),
    Field("time", Table(), {}, "The time at which it comes.", fields=TIME),
)

REWRITE = (
    Field("model", Text(), "(none)", "The name by which the request is routed from here on."),
    Field("set", Settings(), {}, "Fields of the client's body, by dotted path, and their values."),
    Field("remove", Removals(), [], "Fields of the client's body that are left out."),
)

RULE = (
    Field("name", NAME, "(required)", "Name of the rule; its route is `rule:` and this.", is_required=True),
    Field("when", Table(), {}, "What must hold, all of it; without it the rule always holds.", fields=WHEN),
    Field("to", TargetList(), "(none)", "Target of the request."),
    Field("route", Text(), "(none)", "Instead of `to`: the targets of another key of this table, by its name."),
    Field(
        "weights", Weights(), {}, "Instead of `to`: targets that share the requests; a session keeps its own."
    ),
    Field("rewrite", Table(), {}, "What is changed in the request.", fields=REWRITE),
)
"""One rule. Without `to`, `route` and `weights` it only rewrites, and the next rule is looked at."""
