"""Rules of the routing made of what the file says, with everything that is wrong with them."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from ucr.config.model import Targets
from ucr.config.provider_fields import DIALECTS
from ucr.config.reading import Reading, Values, did_you_mean
from ucr.config.rule_fields import COMPARED_TOKENS, REWRITE, RULE, TIME, WHEN
from ucr.config.rule_kinds import is_whole_day
from ucr.config.rule_model import Rewrite, Rule, Span, When

DESTINATIONS = ("to", "route", "weights")


def read_rules(reading: Reading, tables: list[Values], routes: Mapping[str, Targets]) -> tuple[Rule, ...]:
    """Read every rule; `routes` are the targets of the routes that the file sets, by name."""
    rules = tuple(_read(reading, table, index, routes) for index, table in enumerate(tables))
    names = [rule.name for rule in rules]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reading.problem("router.rules", name, "this name is used twice; give each rule its own")
    return rules


def _read(reading: Reading, table: Values, index: int, routes: Mapping[str, Targets]) -> Rule:
    at = at_of(table, index)
    values = reading.values(table, RULE, at)
    given = [key for key in DESTINATIONS if key in table]
    for key in given[1:]:
        reading.problem(f"{at}.{key}", None, f"stands beside {given[0]}; write one of them")
    if not given and "rewrite" not in table:
        reading.problem(at, None, f"has no effect; write {', '.join(DESTINATIONS)} or rewrite")
    return Rule(
        name=values.get("name", f"{index}"),
        when=_when(reading, values.get("when", {}), f"{at}.when"),
        targets=values.get("to", ()) or _routed(reading, values.get("route"), f"{at}.route", routes),
        weights=values.get("weights", ()),
        rewrite=_rewrite(reading, values, at),
    )


def at_of(table: Values, index: int) -> str:
    """Return where a rule stands in the file, for the words of a problem."""
    return f"router.rules.{table['name']}" if isinstance(table.get("name"), str) else f"router.rules[{index}]"


def _routed(reading: Reading, route: str | None, at: str, routes: Mapping[str, Targets]) -> Targets:
    if route is None or routes.get(route):
        return () if route is None else routes[route]
    if route in routes:
        reading.problem(at, route, f"router.{route} is not set; set it, or write `to` here")
    else:
        reading.problem(at, route, f"there is no such route{did_you_mean(route, tuple(routes))}")
    return ()


def _when(reading: Reading, table: Values, at: str) -> When:
    values = reading.values(table, WHEN, at)
    tokens = reading.values(values.pop("tokens", {}), COMPARED_TOKENS, f"{at}.tokens")
    time = values.pop("time", None)
    for pattern in values.get("dialect", ()):
        if not any(fnmatchcase(dialect, pattern) for dialect in DIALECTS):
            remedy = f"fits no protocol{did_you_mean(pattern, DIALECTS)}"
            reading.problem(f"{at}.dialect", pattern, remedy)
    greater, less = tokens.get("greater"), tokens.get("less")
    if greater is not None and less is not None and less <= greater + 1:
        reading.problem(f"{at}.tokens.less", less, f"no size is greater than {greater} and less than this")
    span = None if time is None else _span(reading, time, f"{at}.time")
    return When(**values, tokens_greater=greater, tokens_less=less, time=span)


def _span(reading: Reading, table: Values, at: str) -> Span:
    values = reading.values(table, TIME, at)
    whole = Span()
    start, end = values.get("from", whole.start), values.get("to", whole.end)
    if is_whole_day(start, end) and {"from", "to"} <= table.keys() and (start, end) != (whole.start, whole.end):
        reading.problem(f"{at}.to", table["to"], "is the same time as from; leave both out for the whole day")
    return Span(start, end, values.get("days", whole.days), values.get("zone", whole.zone))


def _rewrite(reading: Reading, values: Values, at: str) -> Rewrite | None:
    if "rewrite" not in values:
        return None
    table = reading.values(values["rewrite"], REWRITE, f"{at}.rewrite")
    if not values["rewrite"]:
        reading.problem(f"{at}.rewrite", None, "is empty; write model, set or remove, or leave it out")
    if "model" in table and any(values.get(key) for key in DESTINATIONS):
        reading.problem(f"{at}.rewrite.model", table["model"], "is of no use here: the rule says where to go")
    return Rewrite(table.get("model"), table.get("set", ()), table.get("remove", ()))
