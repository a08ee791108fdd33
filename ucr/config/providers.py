"""Providers made of what the file says, the catalogue knows, and the environment holds."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from urllib.parse import urlsplit

from actors.breaker import BreakerSpec
from ucr.access import is_loopback
from ucr.auth.credential import Credential
from ucr.catalogue import OLLAMA_CHAT, Auth, Row, row
from ucr.config.aws import OTHER_KEYS, check_bedrock, is_bedrock, key_in, on_bedrock
from ucr.config.model import EMPTY, Provider, Timeouts
from ucr.config.provider_fields import BREAKER, DIALECTS, LIMITS, PROVIDERS
from ucr.config.quirk_fields import quirk_keys
from ucr.config.reading import Reading, Values
from ucr.config.sign_in_fields import read_sign_in
from ucr.placing import GLOBAL, vertex_root
from ucr.secret import Secret

_PLAIN = tuple(
    field.name
    for field in fields(Provider)
    if field.name in {entry.key for entry in PROVIDERS.fields} - {"timeouts", "breaker", "api_keys", "sign_in"}
)
_DEFAULT_AUTH: tuple[tuple[str, Auth], ...] = (
    ("anthropic", "x-api-key"),
    ("gemini", "x-goog-api-key"),
    ("openai-chat", "bearer"),
)
_PLATFORM_AUTH: Mapping[str, Auth] = MappingProxyType(
    {"azure": "api-key", "vertex": "bearer", "bedrock": "bearer"}
)
_PLACE_NAME = re.compile(r"[a-z0-9][a-z0-9.:-]*")


def key_of(entry: Row, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """Return the key that the environment holds for a row of the catalogue, if it holds one.

    What no header can carry is no key.
    """
    found = (key_in(environ.get(name, "")) for name in entry.key_variables)
    return tuple(key for key in found if key is not None)[:1]


def provider_of(entry: Row) -> Provider:
    """Return a provider with all that the catalogue knows of it."""
    return Provider(
        id=entry.id,
        dialect=entry.dialect,
        base_url=entry.base_url,
        auth=entry.auth,
        default_model=entry.default_model,
        models_path=entry.models_path,
        sign_in=entry.sign_in,
        headers=MappingProxyType(dict(entry.headers)) if entry.headers else EMPTY,
        quirks=entry.quirks,
    )


def read_providers(reading: Reading, tables: list[Values], timeouts: Timeouts) -> tuple[Provider, ...]:
    """Read every provider; `timeouts` are those that hold where a provider sets none."""
    read = [_read(reading, table, index, timeouts) for index, table in enumerate(tables)]
    providers = tuple(provider for provider in read if provider is not None)
    seen: set[str] = set()
    for provider in providers:
        if provider.id in seen:
            reading.problem("providers", provider.id, "this id is used twice; give each provider its own")
        seen.add(provider.id)
    if not tables:
        reading.problem(
            "providers", None, "there is none; add [[providers]] with an id, or start without a file"
        )
    return providers


def _read(reading: Reading, table: Values, index: int, timeouts: Timeouts) -> Provider | None:
    at = f"providers.{table['id']}" if isinstance(table.get("id"), str) else f"providers[{index}]"
    is_off = table.get("enabled") is False
    values = reading.values(table, PROVIDERS.fields, at, without_variables=is_off)
    if "id" not in values:
        return None
    known = _row(values)
    base = provider_of(known) if known else Provider(values["id"], "", "")
    if known and "dialect" in values:
        base = replace(base, base_url=known.base_url_for(values["dialect"]))
    if base.headers and "headers" in values:
        values["headers"] = MappingProxyType({**base.headers, **values["headers"]})
    provider = replace(
        base,
        **{name: values[name] for name in _PLAIN if name in values},
        api_keys=_keys(reading, values, known, at),
        timeouts=_timeouts(reading, values, timeouts, at),
        breaker=_breaker(reading, values, at),
        sign_in=read_sign_in(reading, values, known.sign_in if known else None, at),
        quirks=base.quirks.with_({key: values[key] for key in quirk_keys() if key in values}),
        written=frozenset(quirk_keys()) & values.keys(),
    )
    if "auth" not in values and (known is None or known.dialect != provider.dialect):
        auth = dict(_DEFAULT_AUTH).get(provider.dialect, "bearer")
        provider = replace(provider, auth=_PLATFORM_AUTH.get(provider.quirks.platform, auth))
    if provider.quirks.platform == "vertex":
        provider = _on_vertex(reading, provider)
    if is_bedrock(provider):
        provider = on_bedrock(reading, values, provider)
    is_keyed = (
        provider.credentials is not None or provider.aws is not None or {"api_key", "api_keys"} & table.keys()
    )
    if not is_keyed:
        provider = signed_in(provider, reading.credentials.get(provider.id), has_url="base_url" in table)
        reading.secrets.extend(provider.api_keys)
    if not is_off:
        _check(reading, table | values, provider, at)
    return provider


def signed_in(provider: Provider, credential: Credential | None, *, has_url: bool = False) -> Provider:
    """Return a provider without a key with what its user got by signing in.

    A provider that `has_url` is asked there, whatever it has told its user.
    """
    if credential is None or provider.api_keys or provider.auth == "none":
        return provider
    if credential.kind == "api_key":
        return replace(provider, api_keys=(credential.access,))
    if provider.sign_in is None:
        return provider
    url = provider.base_url if has_url else credential.base_url or provider.base_url
    return replace(provider, is_signed_in=True, base_url=url)


def _row(values: Values) -> Row | None:
    """Return the catalogue's row; that of Ollama's other protocols where the file asks for one of them."""
    known = row(values["id"])
    if known is not None and known.dialect == "ollama":
        is_own = values.get("dialect", "ollama") == "ollama" and not is_versioned(values.get("base_url", ""))
        return known if is_own else OLLAMA_CHAT
    return known


def is_versioned(base_url: str) -> bool:
    """True for a base URL that ends in `/v1`, below which Ollama speaks chat completions."""
    return urlsplit(base_url).path.rstrip("/").endswith("/v1")


def _on_vertex(reading: Reading, provider: Provider) -> Provider:
    """Fill in the address of the location, and the credentials that Google's own programs would use."""
    found = provider.credentials or reading.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    url = provider.base_url or vertex_root(provider.quirks.location or GLOBAL)
    return replace(provider, base_url=url, credentials=None if provider.api_keys else found or None)


def _check_vertex(reading: Reading, provider: Provider, at: str) -> None:
    quirks = provider.quirks
    if quirks.project is None:
        reading.problem(f"{at}.project", None, "is missing; write the id of a project of Google Cloud")
    for key, text in (("project", quirks.project), ("location", quirks.location)):
        if text is not None and not _PLACE_NAME.fullmatch(text):
            reading.problem(f"{at}.{key}", text, "must be a name such as my-project or europe-west1")


def _timeouts(reading: Reading, values: Values, timeouts: Timeouts, at: str) -> Timeouts:
    table = reading.values(values.get("timeouts", {}), LIMITS, f"{at}.timeouts")
    alone = {entry.key: values[entry.key] for entry in LIMITS if entry.key in values}
    return replace(timeouts, **(table | alone))


def _breaker(reading: Reading, values: Values, at: str) -> BreakerSpec:
    spec = BreakerSpec(**reading.values(values.get("breaker", {}), BREAKER, f"{at}.breaker"))
    if spec.max_reset_s < spec.reset_s:
        spec = replace(spec, max_reset_s=spec.reset_s)
    return spec


def _keys(reading: Reading, values: Values, known: Row | None, at: str) -> tuple[Secret, ...]:
    if "api_key" in values and "api_keys" in values:
        reading.problem(f"{at}.api_keys", None, "stands beside api_key; write one of them")
    if "api_key" in values:
        return (values["api_key"],)
    if "api_keys" in values:
        return tuple(values["api_keys"])
    found = key_of(known, reading.environ) if known else ()
    reading.secrets.extend(found)
    return found


def _check(reading: Reading, table: Values, provider: Provider, at: str) -> None:
    if not provider.dialect and "dialect" not in table:
        known = ", ".join(f'"{name}"' for name in DIALECTS)
        reading.problem(f"{at}.dialect", None, f"is missing; write one of {known}")
    if not provider.base_url and "base_url" not in table:
        reading.problem(f"{at}.base_url", None, "is missing; write the root of the provider's API")
    if provider.dialect == "ollama" and is_versioned(provider.base_url):
        remedy = 'Ollama\'s own API has no /v1; leave it out, or set dialect = "openai-chat"'
        reading.problem(f"{at}.base_url", provider.base_url, remedy)
    url = urlsplit(provider.base_url)
    is_local = is_loopback(url.hostname or "")
    if url.scheme == "http" and not is_local and table.get("allow_http") is not True:
        remedy = (
            "http:// to another machine sends keys and texts in clear; use https://, or set allow_http = true"
        )
        reading.problem(f"{at}.base_url", provider.base_url, remedy)
    if provider.quirks.platform == "vertex":
        _check_vertex(reading, provider, at)
    if is_bedrock(provider):
        check_bedrock(reading, table, provider, at)
    _check_key(reading, table, provider, at, is_local)


def _check_key(reading: Reading, table: Values, provider: Provider, at: str, is_local: bool) -> None:
    known = row(provider.id)
    is_given = {"api_key", "api_keys", "headers"} & table.keys()
    if provider.credentials is not None or provider.aws is not None or provider.is_signed_in:
        return
    needs_key = known is not None and known.key_variables and provider.auth != "none" and not is_local
    if needs_key and known is not None and not provider.api_keys and (not is_given or "api_key" in table):
        if any(problem.key.startswith(f"{at}.api_key") for problem in reading.problems):
            return
        remedy = f"no API key; set {known.key_variables[0]} or {at}.api_key"
        remedy += f", {OTHER_KEYS}" if is_bedrock(provider) else f", or run: ucr-trio auth login {known.id}"
        reading.problem(f"{at}.api_key", None, remedy)
