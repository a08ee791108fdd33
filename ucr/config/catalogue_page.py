"""The page of the providers that UCR knows, in Markdown, made from the catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType

from ucr import jsontext
from ucr.catalogue import ROWS, Row
from ucr.quirks import Quirks

_HEAD = """# Providers

This page is made by `scripts/make-docs` from the catalogue (`ucr/catalogue.py`). With one of these ids a provider needs
no more than its key:

```toml
[[providers]]
id = "groq"
api_key = "${GROQ_API_KEY}"
```

Every field can be set otherwise; [configuration.md](configuration.md) explains them all, those under *differs* among
them. A provider with another id needs `dialect` and `base_url`, and is taken to speak its dialect without
peculiarities. A provider that speaks an existing dialect is added to the catalogue as a row of at most 15 lines, without
code. [translation.md](translation.md) says what each dialect makes of a request.
"""

_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "/v1/messages",
        "bedrock": "/model/{model}/converse",
        "cohere": "/v2/chat",
        "gemini": "/v1beta/models/{model}:generateContent",
        "ollama": "/api/chat",
        "openai-chat": "/chat/completions",
        "openai-responses": "/responses",
        "replicate": "/models/{model}/predictions",
    }
)
_DEFAULTS = Quirks()


def catalogue_page() -> str:
    """Return the whole page."""
    return "\n".join((_HEAD, _table(), *map(_section, ROWS)))


def _table() -> str:
    lines = ["| Id | Dialect | Variable of the key | Default model |\n|---|---|---|---|"]
    for row in ROWS:
        variables = " or ".join(f"`{name}`" for name in row.key_variables) or "none"
        model = f"`{row.default_model}`" if row.default_model else "the one asked for"
        lines.append(f"| [`{row.id}`](#{row.id}) | {row.dialect} | {variables} | {model} |")
    return "\n".join(lines) + "\n"


def _section(row: Row) -> str:
    return "\n".join((f"## {row.id}\n", *_facts(row))) + "\n"


def _facts(row: Row) -> Iterator[str]:
    path = _PATHS.get(row.dialect, "")
    yield f"- asked at `{row.base_url}{path}`" if row.base_url else f"- asked at your `base_url` + `{path}`"
    yield f"- key: {_key(row)}"
    if row.sign_in is not None:
        yield f"- users sign in with `ucr-trio auth login {row.id}`: [auth.md](auth.md)"
    if row.models_path is not None:
        yield f"- lists its models at `{row.models_path}`"
    for dialect, base_url in row.also:
        yield f'- with `dialect = "{dialect}"` asked at `{base_url}{_PATHS.get(dialect, "")}`'
    if row.headers:
        yield "- further headers: " + ", ".join(f"`{name}: {value}`" for name, value in row.headers)
    differences = [f"`{name} = {value}`" for name, value in _differences(row.quirks)]
    if differences:
        yield "- differs: " + ", ".join(differences)


def _key(row: Row) -> str:
    if row.auth == "none":
        return "none"
    shown = {"bearer": "`authorization: Bearer …`", "both": "`x-api-key` and `api-key`"}
    return shown.get(row.auth, f"`{row.auth}`")


def _differences(quirks: Quirks) -> Iterator[tuple[str, str]]:
    """Give the fields that are not as for an unknown provider, with their values as the configuration writes them."""
    for field in fields(Quirks):
        value = getattr(quirks, field.name)
        if value != getattr(_DEFAULTS, field.name):
            yield field.name, jsontext.dumps(value).decode()
