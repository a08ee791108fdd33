"""What rules change in a request: fields of its body that are set, and fields that are left out. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from ucr import jsontext
from ucr.conditions import is_same, place_of
from ucr.config.rule_model import Path, Rewrite
from ucr.dialects.roles import Headers, Request
from ucr.errors import ApiError

Parse = Callable[[bytes, Headers], Request]
Change = Callable[[dict[str, Any], str], dict[str, Any]]

PHRASE_CHARS = 80


def rewritten(
    request: Request, rewrites: Sequence[tuple[str, Rewrite]], parse: Parse
) -> tuple[Request, tuple[str, ...]]:
    """Return the request as the rules want it, under the name that was asked for, and what was changed.

    The same request when nothing was. Raise `ApiError` 400 that names the rules when it is then no request.
    """
    given = request.own_body
    body, notes = given, []
    for rule, rewrite in rewrites:
        if rewrite.model is not None:
            notes.append(_note(rule, f"routed as {rewrite.model}"))
        for setting in rewrite.settings:
            body, before = with_value(body, setting.path, setting.value), body
            notes += [_note(rule, f"set {'.'.join(setting.path)}")] if body is not before else ()
        for path in rewrite.removals:
            body, before = without(body, path), body
            notes += [_note(rule, f"removed {'.'.join(path)}")] if body is not before else ()
    if body is given:
        return request, tuple(notes)
    return _read_again(request, body, parse, [rule for rule, _ in rewrites]), tuple(notes)


def _read_again(request: Request, body: Any, parse: Parse, rules: Sequence[str]) -> Request:
    try:
        made = parse(jsontext.dumps(body), request.headers)
    except (ApiError, RecursionError) as error:
        words = (
            f"the router's rules made this request invalid ({', '.join(rules)}): {error}; mend their rewrite"
        )
        raise ApiError("invalid_request_error", words, should_retry=False) from None
    return replace(made, model=request.model)


def _note(rule: str, words: str) -> str:
    """Return a phrase for a header: ASCII, and short."""
    phrase = "".join(c if c.isascii() and c.isprintable() and c not in ",;" else "_" for c in words)
    return f"rule {rule}: {phrase[:PHRASE_CHARS]}"


def with_value(value: Any, path: Path, wanted: Any) -> Any:
    """Return a body in which a field has a value; the same object when it has it already.

    Tables that are not there are made. In a list a number is a place, which must be there, and a name is in each item.
    """
    return _changed(value, path, lambda table, name: table | {name: wanted}, is_making=True)


def without(value: Any, path: Path) -> Any:
    """Return a body in which a field is not there; the same object when it is not there."""
    return _changed(value, path, _removed, is_making=False)


def _removed(table: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != name}


def _changed(value: Any, path: Path, change: Change, *, is_making: bool) -> Any:
    if isinstance(value, list):
        return _changed_list(value, path, change, is_making=is_making)
    if not isinstance(value, dict):
        return value
    name, rest = path[0], path[1:]
    if not rest:
        made = change(value, name)
        return value if is_same(made, value) else made
    if name not in value and not is_making:
        return value
    inner = value.get(name)
    made = _changed({} if inner is None and is_making else inner, rest, change, is_making=is_making)
    return value if made is inner else value | {name: made}


def _changed_list(items: list[Any], path: Path, change: Change, *, is_making: bool) -> list[Any]:
    place = place_of(path[0])
    if place is not None and (not path[1:] or not -len(items) <= place < len(items)):
        return items
    chosen = range(len(items)) if place is None else (place % len(items),)
    rest = path if place is None else path[1:]
    made = list(items)
    for index in chosen:
        made[index] = _changed(items[index], rest, change, is_making=is_making)
    return items if all(one is other for one, other in zip(made, items, strict=True)) else made
