"""What a custom router is shown of a request, and what its answer means. Pure.

It is shown no keys: headers that hold any are left out, and so is what looks like one in the others.
"""

from collections.abc import Mapping

from ucr import jsontext
from ucr.config.kinds import TargetList, Wrong
from ucr.config.model import Config, Targets
from ucr.facts import Facts
from ucr.jsontext import RawJson
from ucr.redaction import Redactor, holds_secret

BODY_LIMIT_BYTES = 1024 * 1024
"""A body that is longer is not shown."""

HEADERS_LIMIT = 64
VALUE_CHARS = 1024
TARGETS_LIMIT = 16
SHOWN_CHARS = 120

_REDACTOR = Redactor()


class Nonsense(ValueError):
    """The custom router answered what is no target; the message says what, and what would be one."""


def view_of(facts: Facts, *, with_body: bool) -> bytes:
    """Return what the function is called with, as JSON; `body` is None when it is not shown."""
    request = facts.request
    shows = with_body and len(request.raw) <= BODY_LIMIT_BYTES
    return jsontext.dumps(
        {
            "model": request.model[:VALUE_CHARS],
            "dialect": request.dialect,
            "stream": request.stream,
            "client": facts.client,
            "session": _short(facts.session),
            "agent": _short(facts.agent),
            "headers": shown_headers(request.headers),
            "input_tokens": facts.input_tokens,
            "output_tokens": facts.output_tokens,
            "has_images": facts.has_images,
            "tools": len(facts.tools),
            "body_bytes": len(request.raw),
            "body": RawJson(request.raw.decode("utf-8", "replace")) if shows else None,
        }
    )


def _short(text: str | None) -> str | None:
    return None if text is None else text[:VALUE_CHARS]


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that hold no keys, short, with whatever looks like a key masked."""
    shown = [(name, value) for name, value in headers.items() if not holds_secret(name)]
    return {name[:VALUE_CHARS]: _REDACTOR.text(value[:VALUE_CHARS]) for name, value in shown[:HEADERS_LIMIT]}


def targets_of(result: object, config: Config) -> Targets:
    """Return the targets that the function named, none for None; raise `Nonsense` for anything else.

    A target's provider must be one of the configuration that is enabled; its model may be any.
    """
    if result is None:
        return ()
    try:
        targets = TargetList().read(result)
    except Wrong as wrong:
        raise Nonsense(f"it returned {_shown(result)}, which {wrong}, or None") from None
    if not 0 < len(targets) <= TARGETS_LIMIT:
        raise Nonsense(f"it returned {len(targets)} targets; return 1 to {TARGETS_LIMIT}, or None")
    for target in targets:
        if config.provider(target.provider) is None:
            known = ", ".join(provider.id for provider in config.providers if provider.enabled)
            raise Nonsense(f"it returned {_shown(str(target))}, but the providers are {known}")
    return targets


def _shown(value: object) -> str:
    return _REDACTOR.text(repr(value))[:SHOWN_CHARS]
