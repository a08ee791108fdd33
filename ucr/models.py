"""The lists of models and providers, in the shape of the client that asks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from ucr import jsontext
from ucr.config.model import Client, Config
from ucr.dialects.roles import Headers
from ucr.errors import ApiError
from ucr.jsontext import JsonObject
from ucr.routing import PICKER_PREFIX, by_priority, candidates, models_of, not_found, plain_name

UNKNOWN_DATE = "1970-01-01T00:00:00Z"
"""What the Anthropic reference says to send where the day of release is not known."""

PAGE_SIZE = 20
GEMINI_PAGE_SIZE = 50
PAGE_LIMIT = 1000

_GOOGLES = ("x-goog-api-key", "x-goog-api-client")
"""Headers that Google's clients send, and no others."""

PICKED = ("claude", "anthropic")
"""Claude Code's picker leaves out ids that begin with neither (its gateway protocol, "Model discovery")."""


@dataclass(frozen=True, slots=True)
class Known:
    """A name that clients may ask for, what it is called, and the provider behind it."""

    id: str
    display_name: str
    owner: str


def allowed(entries: tuple[Known, ...], caller: Client | None) -> tuple[Known, ...]:
    """Return the names that a client may ask for."""
    if caller is None or not caller.models:
        return entries
    return tuple(entry for entry in entries if caller.may_ask(plain_name(entry.id)))


def known_models(config: Config) -> tuple[Known, ...]:
    """Return every name that is certain to be served: aliases, then `provider/model`, then bare names."""
    return _distinct((*_aliases(config), *_qualified(config), *_bare(config)))


def picker_models(config: Config) -> tuple[Known, ...]:
    """Return the known models, and for those that Claude Code's picker leaves out also an id that it takes."""
    left_out = (entry for entry in (*_aliases(config), *_qualified(config)) if not entry.id.startswith(PICKED))
    picked = (Known(f"{PICKER_PREFIX}{e.id}", e.display_name, e.owner) for e in left_out)
    return _distinct((*known_models(config), *picked))


def _aliases(config: Config) -> Iterator[Known]:
    for alias, targets in config.models.items():
        served = [target for target in targets if config.provider(target.provider) is not None]
        if served:
            yield Known(alias, f"{alias} ({served[0]})", served[0].provider)


def _qualified(config: Config) -> Iterator[Known]:
    for entry in _bare(config):
        yield replace(entry, id=f"{entry.owner}/{entry.id}")


def _bare(config: Config) -> Iterator[Known]:
    for provider in by_priority(config):
        for model in models_of(provider):
            yield Known(model, f"{model} ({provider.id})", provider.id)


def _distinct(entries: Iterable[Known]) -> tuple[Known, ...]:
    """Leave out names that stood before: whoever is first is who a request for the name goes to."""
    first: dict[str, Known] = {}
    for entry in entries:
        first.setdefault(entry.id, entry)
    return tuple(first.values())


def dialect_of(method: str, path: str, headers: Headers) -> str:
    """Return the dialect of a client that asks for models, as far as method, path and headers tell."""
    if (method == "POST" and ":" in path) or any(name in headers for name in _GOOGLES):
        return "gemini"
    return "anthropic" if "anthropic-version" in headers or "x-api-key" in headers else "openai-chat"


def models_body(config: Config, dialect: str, query: str, caller: Client | None = None) -> bytes:
    """Return the list of models for a client, in its dialect; raise `ApiError` 400 for a page that cannot be had."""
    if dialect == "gemini":
        return _gemini_page(allowed(known_models(config), caller), query)
    if dialect == "ollama":
        return jsontext.dumps({"models": [_ollama(entry) for entry in allowed(known_models(config), caller)]})
    if dialect != "anthropic":
        data = [_openai(entry) for entry in allowed(known_models(config), caller)]
        return jsontext.dumps({"object": "list", "data": data})
    page, has_more = _page(allowed(picker_models(config), caller), query)
    return jsontext.dumps(
        {
            "data": [_anthropic(entry) for entry in page],
            "has_more": has_more,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }
    )


def model_body(config: Config, dialect: str, model: str, caller: Client | None = None) -> bytes:
    """Return one model in a client's dialect; raise `ApiError` 404 for a model that is not known to the client.

    A `claude-…` name is known as long as somebody would serve it: clients ask for it before they use it.
    """
    if caller is not None and not caller.may_ask(plain_name(model)):
        raise not_found(model)
    entry = next((entry for entry in picker_models(config) if entry.id == model), None)
    if entry is None and not plain_name(model).startswith("claude-"):
        raise not_found(model)
    if entry is None:
        entry = Known(model, model, candidates(config, model)[0].provider.id)
    write = {"anthropic": _anthropic, "gemini": _gemini}.get(dialect, _openai)
    return jsontext.dumps(write(entry))


def _anthropic(entry: Known) -> JsonObject:
    return {
        "type": "model",
        "id": entry.id,
        "display_name": entry.display_name,
        "created_at": UNKNOWN_DATE,
        "lifecycle": "active",
    }


def _openai(entry: Known) -> JsonObject:
    return {"id": entry.id, "object": "model", "created": 0, "owned_by": entry.owner}


def _ollama(entry: Known) -> JsonObject:
    details = {"format": "", "family": "", "families": [], "parameter_size": "", "quantization_level": ""}
    named = {"name": entry.id, "model": entry.id, "modified_at": UNKNOWN_DATE}
    return {**named, "size": 0, "digest": "", "details": details}


def _gemini_page(entries: tuple[Known, ...], query: str) -> bytes:
    fields = {name: values[-1] for name, values in parse_qs(query).items()}
    size = _limit(fields.get("pageSize", str(GEMINI_PAGE_SIZE)), "pageSize")
    token = fields.get("pageToken", "0")
    if not (token.isascii() and token.isdigit() and len(token) <= 6):
        raise ApiError("invalid_request_error", "pageToken: is none that was given here")
    end = int(token) + size
    body: JsonObject = {"models": [_gemini(entry) for entry in entries[int(token) : end]]}
    return jsontext.dumps({**body, "nextPageToken": str(end)} if end < len(entries) else body)


def _gemini(entry: Known) -> JsonObject:
    return {
        "name": f"models/{entry.id}",
        "displayName": entry.display_name,
        "description": f"served by {entry.owner}",
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }


def _page(entries: tuple[Known, ...], query: str) -> tuple[tuple[Known, ...], bool]:
    """Cut a page after `after_id`, or before `before_id`, which is then the one next to it."""
    fields = {name: values[-1] for name, values in parse_qs(query).items()}
    limit = _limit(fields.get("limit", str(PAGE_SIZE)), "limit")
    if "before_id" in fields:
        before = entries[: _position(entries, "before_id", fields["before_id"])]
        return before[-limit:], len(before) > limit
    start = _position(entries, "after_id", fields["after_id"]) + 1 if "after_id" in fields else 0
    return entries[start : start + limit], len(entries) > start + limit


def _limit(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= PAGE_LIMIT):
        raise ApiError("invalid_request_error", f"{name}: must be a whole number from 1 to {PAGE_LIMIT}")
    return int(text)


def _position(entries: tuple[Known, ...], name: str, wanted: str) -> int:
    for position, entry in enumerate(entries):
        if entry.id == wanted:
            return position
    raise ApiError("invalid_request_error", f"{name}: there is no model {wanted[:200]!r}")


def providers_view(config: Config, board: Mapping[str, Mapping[str, Any]]) -> JsonObject:
    """Return what `GET /v1/providers` says: each provider's settings, and its status as the board has it."""
    return {
        "object": "list",
        "data": [
            {
                "id": provider.id,
                "dialect": provider.dialect,
                "base_url": provider.base_url,
                "enabled": provider.enabled,
                "priority": provider.priority,
                "has_key": bool(provider.api_keys),
                "default_model": provider.default_model,
                "models": list(provider.models),
                "cards": list(provider.cards),
                "status": dict(board.get(provider.id, {})),
            }
            for provider in config.providers
        ],
    }
