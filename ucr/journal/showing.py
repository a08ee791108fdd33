"""Entries of the journal in words. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ucr.journal.reading import Found
from ucr.jsontext import JsonObject

_NOT_KNOWN = "-"


def moment(at_s: float) -> str:
    """Return a Unix time in UTC, as the log writes it."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_json(found: Found) -> JsonObject:
    """Return an entry as one object: the account, with the time and the bodies that are kept."""
    entry = found.entry
    bodies = {
        name: body for name, body in (("request", entry.request), ("answer", entry.answer)) if body is not None
    }
    return {"at": moment(entry.at_s), **found.account, **bodies}


def line(found: Found) -> str:
    """Return the one line of an entry."""
    entry, account = found.entry, found.account
    asked, used = account["model_asked"] or _NOT_KNOWN, _used(account)
    parts = (
        moment(entry.at_s),
        entry.request_id,
        str(entry.status),
        asked if used is None else f"{asked} -> {used}",
        f"({account['route']})" if account["route"] else "",
        f"{account['total_ms']:.0f} ms",
        f"{_number(account['input_tokens'])}/{_number(account['output_tokens'])} tokens",
        _cost(account),
        "" if account["cache"] == "bypass" else f"cache {account['cache']}",
        account["error_type"] or "",
    )
    return "  ".join(part for part in parts if part)


def story(found: Found) -> Iterator[str]:
    """Give the lines that say what became of a request, and why."""
    entry, account = found.entry, found.account
    ttfb = "" if account["ttfb_ms"] is None else f", the first byte after {account['ttfb_ms']:.1f} ms"
    yield f"{entry.request_id}  {moment(entry.at_s)}  worker {account['worker']}"
    yield f"  {entry.status} after {account['total_ms']:.1f} ms{ttfb}; the router's own part {account['overhead_ms']} ms"
    kind = "stream" if account["stream"] else "whole answer"
    yield f"  asked for: {account['model_asked'] or _NOT_KNOWN} ({account['dialect']}, {kind})"
    for name in ("client", "session_id", "agent_id"):
        if account[name]:
            yield f"  {name.removesuffix('_id')}: {account[name]}"
    yield from _routing(account)
    if account["error_type"]:
        yield f"  error: {account['error_type']}"
    yield f"  cache: {account['cache']}"
    read = (
        f" ({account['cache_read_tokens']} from the provider's cache)" if account["cache_read_tokens"] else ""
    )
    guess = ", estimated" if account["usage_estimated"] else ""
    yield (
        f"  tokens: {_number(account['input_tokens'])} read{read}, "
        f"{_number(account['output_tokens'])} written{guess}; cost {_cost(account) or 'not known'}"
    )
    if account["upstream_request_id"]:
        yield f"  the provider's id: {account['upstream_request_id']}"
    if entry.request is not None:
        cut = f"; cut: {', '.join(account['cut'])}" if account["cut"] else ""
        yield f"  kept: {len(entry.request)} characters asked, {len(entry.answer or '')} answered{cut}"


def _routing(account: JsonObject) -> Iterator[str]:
    used = _used(account)
    if account["route"]:
        yield f"  route: {account['route']}, tier {account['tier']}"
    if account["considered"]:
        yield "  candidates, in this order:"
    for order, candidate in enumerate(account["considered"], 1):
        mark = "  <- answered" if used and candidate.startswith(f"{used} (") and account["status"] < 400 else ""
        yield f"    {order} {candidate}{mark}"
    if account["tried"]:
        yield "  came to nothing:"
    for tried in account["tried"]:
        yield f"    {tried}"
    if account["notes"]:
        yield f"  changed: {'; '.join(account['notes'])}"
    if account["healed"]:
        yield f"  healed: {account['healed']}"


def _used(account: JsonObject) -> str | None:
    return f"{account['provider']}/{account['model_used']}" if account["provider"] else None


def _number(value: Any) -> str:
    return _NOT_KNOWN if value is None else str(value)


def _cost(account: JsonObject) -> str:
    return "" if account["cost_usd"] is None else f"${account['cost_usd']:.6f}".rstrip("0").rstrip(".")
