"""The reference of the configuration file, in Markdown, made from the table of fields."""

from collections.abc import Iterator

from ucr import jsontext
from ucr.catalogue import ROWS
from ucr.config.field import Field, Section
from ucr.config.fields import SECTIONS

_HEAD = """# Configuration

This page is made by `scripts/make-docs` from the table that also reads the file; its JSON Schema is
[ucr.schema.json](ucr.schema.json).

The file is the first of: `--config`, `UCR_CONFIG`, `./ucr.toml`, `./ucr.json`, `./ucr.config.json` (the one of
universal-claude-router, read unchanged), `$XDG_CONFIG_HOME/ucr/ucr.toml`. Without any, providers are found by
the keys in the environment and by local servers that answer. TOML and JSON hold the same keys.

`${NAME}` in any value is replaced by a variable of the environment (`$${` stands for `${`). `UCR_HOST`,
`UCR_PORT`, `UCR_LOG_LEVEL` and `UCR_CLIENT_KEY` go before the file, options of the command line before those.
`ucr-trio check` prints everything that is wrong with a file.

The smallest useful file:

```toml
[[providers]]
id = "deepseek"
api_key = "${DEEPSEEK_API_KEY}"

[router]
default = "deepseek"
```

A model is chosen in this order: an alias of `[models]`; `provider/model` with the id of a provider; the rules; the
route of a task; a provider that lists the model; `router.default`; see [routing.md](routing.md). A target without a
model takes the provider's `default_model`, else the name that was asked for.
"""


def markdown() -> str:
    """Return the whole page."""
    return "\n".join((_HEAD, *map(_section, SECTIONS), _catalogue()))


def _section(section: Section) -> str:
    title = f"[[{section.name}]]" if section.is_list else f"[{section.name}]"
    parts = [f"## `{title}`\n", f"{section.says}\n"]
    if section.example:
        parts.append(f"```toml\n{section.example}\n```\n")
    if section.fields:
        parts.append("| Key | Value | Default | Unit | |\n|---|---|---|---|---|")
        parts.extend(_rows(section.fields))
        parts[-1] += "\n"
    return "\n".join(parts)


def _rows(fields: tuple[Field, ...], before: str = "") -> Iterator[str]:
    for field in fields:
        yield _row(field, before)
        yield from _rows(field.fields, f"{before}{field.key}.")


def _row(field: Field, before: str = "") -> str:
    cells = (
        f"`{before}{field.key}`",
        field.kind.word,
        _default(field.default),
        field.unit,
        field.says,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(value: object) -> str:
    if isinstance(value, str) and value.startswith("("):
        return value.strip("()")
    if value in ([], {}, ()):
        return "empty"
    return f"`{jsontext.dumps(value).decode()}`"


def _catalogue() -> str:
    lines = [
        "## Providers that UCR knows\n",
        "With one of these ids, `dialect`, `base_url`, `auth` and the key's variable need not be written.\n"
        "[providers.md](providers.md) tells in what each of them differs.\n",
        "| Id | Dialect | Base URL | Variable of the key | Default model |\n|---|---|---|---|---|",
    ]
    for entry in ROWS:
        variables = " or ".join(f"`{name}`" for name in entry.key_variables) or "none"
        model = f"`{entry.default_model}`" if entry.default_model else "the one asked for"
        url = entry.base_url or "(yours)"
        lines.append(f"| `{entry.id}` | {entry.dialect} | {url} | {variables} | {model} |")
    return "\n".join(lines) + "\n"
