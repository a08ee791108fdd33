"""Reads the configuration of the universal-claude-router, whose keys are camelCase, as one of UCR's own.

Translation only: the result is read like any other file, so that its values are checked in one place. Values
that are not of the expected type pass as they are, and are found there.
"""

from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from ucr.access import is_loopback
from ucr.catalogue import row

Tree = dict[str, Any]

FILE_NAME = "ucr.config.json"

_PROVIDER = MappingProxyType(
    {
        "id": "id",
        "baseUrl": "base_url",
        "apiKey": "api_key",
        "defaultModel": "default_model",
        "models": "models",
        "enabled": "enabled",
        "priority": "priority",
        "headers": "headers",
    }
)
_ROUTES = MappingProxyType(
    {
        "default": "default",
        "think": "think",
        "background": "background",
        "longContext": "long_context",
        "webSearch": "web_search",
        "image": "image",
        "tokenThreshold": "token_threshold",
    }
)
_AUTHS = MappingProxyType({"bearerToken": "bearer", "none": "none"})
_LEVELS = MappingProxyType({"trace": "debug", "warn": "warning", "fatal": "critical"})
_IDS = MappingProxyType({"gemini": "google"})
"""Ids under which the catalogue knows a provider by another name."""

_WITHOUT_EFFECT = MappingProxyType(
    {
        "server": ("rateLimit", "timeout"),
        "logging": ("pretty", "requests"),
        "router": ("customRouter",),
    }
)
_NO_MEANING = frozenset({"version", "features", "auth", "transformers"})
_MARKS = frozenset({"baseUrl", "apiKey", "authType", "defaultModel", "maxRetries"})


def is_ancestor(tree: Tree, file_name: str) -> bool:
    """True when a JSON file is the ancestor's: by its name, or by keys that only the ancestor has."""
    if file_name == FILE_NAME or _NO_MEANING & tree.keys():
        return True
    providers = tree.get("providers")
    listed = providers if isinstance(providers, list) else []
    return any(isinstance(entry, dict) and _MARKS & entry.keys() for entry in listed)


def translated(tree: Tree) -> tuple[Tree, tuple[str, ...]]:
    """Return the file as UCR would write it, and warnings of what has no effect."""
    warnings: list[str] = []
    result: Tree = {key: value for key, value in tree.items() if key not in _NO_MEANING}
    if isinstance(tree.get("server"), dict):
        result["server"] = _server(tree["server"], warnings)
    if isinstance(tree.get("logging"), dict):
        result["logging"] = _logging(tree["logging"], warnings)
    if isinstance(tree.get("providers"), list):
        result["providers"] = [_provider(entry, warnings) for entry in tree["providers"]]
    result["router"] = _router(tree, result.get("providers"), warnings)
    warnings.extend(f"{key} has no effect" for key in ("auth", "transformers") if tree.get(key))
    return result, tuple(dict.fromkeys(warnings))


def _server(server: Tree, warnings: list[str]) -> Tree:
    result = {key: value for key, value in server.items() if key not in ("cors", *_WITHOUT_EFFECT["server"])}
    if result.get("host") == "localhost":
        result["host"] = "127.0.0.1"
    result |= _cors(server.get("cors"), warnings)
    _warn_of("server", server, warnings)
    return result


def _cors(cors: object, warnings: list[str]) -> Tree:
    origin = cors.get("origin") if isinstance(cors, dict) else cors
    if origin is None or origin is False:
        return {}
    origins = origin if isinstance(origin, list) else [origin]
    if "*" in origins or True in origins:
        warnings.append('server.cors "*" is ignored: it would let every web page spend your keys')
    return {"allowed_origins": [entry for entry in origins if entry not in ("*", True)]}


def _logging(logging: Tree, warnings: list[str]) -> Tree:
    result = {key: value for key, value in logging.items() if key not in _WITHOUT_EFFECT["logging"]}
    level = result.get("level")
    if isinstance(level, str):
        result["level"] = _LEVELS.get(level, level)
    if logging.get("pretty") is True:
        warnings.append("logging.pretty has no effect: the log is JSON lines")
    if logging.get("requests") is False:
        warnings.append("logging.requests has no effect: each request is one line of the level info")
    return result


def _warn_of(section: str, table: Tree, warnings: list[str]) -> None:
    warnings.extend(f"{section}.{key} has no effect" for key in _WITHOUT_EFFECT[section] if key in table)


def _provider(entry: object, warnings: list[str]) -> object:
    if not isinstance(entry, dict):
        return entry
    dropped = {"name", "metadata", "authType", "timeout", "maxRetries"}
    result = {_PROVIDER.get(key, key): value for key, value in entry.items() if key not in dropped}
    if "maxRetries" in entry:
        warnings.append("providers.maxRetries has no effect: UCR decides itself whether a retry can help")
    if isinstance(entry.get("timeout"), int) and entry["timeout"] > 0:
        result["first_byte_s"] = entry["timeout"] / 1000
    known = row(_IDS.get(str(entry.get("id")), str(entry.get("id"))))
    result.setdefault("dialect", known.dialect if known else "openai-chat")
    if isinstance(result.get("base_url"), str):
        result["base_url"] = _base_url(result, known.base_url if known else None)
        _permit_http(result, warnings)
    _auth(result, entry.get("authType"), warnings)
    return result


def _base_url(entry: Tree, known_url: str | None) -> str:
    """Return the root of the API: the ancestor added a version to addresses without a path."""
    url = str(entry["base_url"]).rstrip("/")
    if "${" in url or entry["dialect"] == "anthropic" or urlsplit(url).path:
        return url
    if known_url and urlsplit(known_url).netloc == urlsplit(url).netloc:
        return known_url
    return f"{url}/v1"


def _permit_http(entry: Tree, warnings: list[str]) -> None:
    url = urlsplit(entry["base_url"])
    if url.scheme == "http" and url.hostname and not is_loopback(url.hostname):
        entry["allow_http"] = True
        warnings.append(f"providers.{entry.get('id')}.baseUrl: http:// sends keys and texts in clear")


def _auth(entry: Tree, auth_type: object, warnings: list[str]) -> None:
    if auth_type in ("oauth", "basic"):
        entry["enabled"] = False
        warnings.append(
            f"providers.{entry.get('id')} is off: sign-in of the kind {auth_type!r} is not yet served"
        )
    elif auth_type is not None and auth_type != "apiKey":
        entry["auth"] = _AUTHS.get(str(auth_type), auth_type)


def _router(tree: Tree, providers: object, warnings: list[str]) -> object:
    router = tree.get("router", {})
    if not isinstance(router, dict):
        return router
    _warn_of("router", router, warnings)
    dropped = _WITHOUT_EFFECT["router"]
    result = {_ROUTES.get(key, key): value for key, value in router.items() if key not in dropped}
    first = _first(providers)
    if "default" not in result and first is not None:
        result["default"] = first
    return result


def _first(providers: object) -> str | None:
    """Return the provider that the ancestor would use where no route says: the enabled one of most priority."""
    entries = providers if isinstance(providers, list) else []
    enabled = [
        e for e in entries if isinstance(e, dict) and isinstance(e.get("id"), str) and e.get("enabled", True)
    ]
    ranked = sorted(enabled, key=lambda e: -e["priority"] if isinstance(e.get("priority"), int) else 0)
    return ranked[0]["id"] if ranked else None
