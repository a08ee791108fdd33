"""Every value of the configuration that holds, and where it comes from. Secrets are hidden."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ucr import jsontext
from ucr.config.field import Field
from ucr.config.fields import SECTIONS
from ucr.config.overrides import Overrides
from ucr.config.places import config_place
from ucr.redaction import holds_secret
from ucr.starting import from_file

HIDDEN = "***"
VARIABLES = (("server.host", "UCR_HOST"), ("server.port", "UCR_PORT"), ("logging.level", "UCR_LOG_LEVEL"))

Row = tuple[str, Any, str]
"""A key, its value as JSON can hold it, and its origin."""


def origins(option: str | None, environ: Mapping[str, str]) -> list[Row]:
    """Return a row for each value; a `${NAME}` stays as it is written. Raise `ConfigError`."""
    found = from_file(option, environ, Overrides())
    place = config_place(option, environ, lambda path: Path(path).is_file())
    tree = {} if place is None else _tree(place)
    rows: list[Row] = []
    for section in SECTIONS:
        tables = tree.get(section.name, [] if section.is_list else {})
        if section.is_list:
            for index, table in enumerate(tables):
                at = f"{section.name}.{table.get('id') or table.get('name') or index}"
                rows += _written(at, table, section.fields, place)
        else:
            rows += _written(section.name, tables, section.fields, place)
            rows += _defaults(section.name, tables, section.fields)
    over = {key: (key, environ[name], name) for key, name in VARIABLES if environ.get(name)}
    rows = [over.get(key, (key, value, origin)) for key, value, origin in rows]
    if found is not None:
        secrets = [secret.reveal() for secret in found.secrets]
        rows = [(key, HIDDEN if value in secrets else value, origin) for key, value, origin in rows]
    return rows


def _tree(place: str) -> dict[str, Any]:
    data = Path(place).read_bytes()
    found = (
        jsontext.loads(data) if place.endswith(".json") else tomllib.loads(data.decode().removeprefix("\ufeff"))
    )
    return found if isinstance(found, dict) else {}


def _written(at: str, table: Mapping[str, Any], fields: tuple[Field, ...], place: str | None) -> Iterator[Row]:
    kinds = {field.key: field.kind for field in fields}
    for key, value in table.items():
        is_secret = key in kinds and kinds[key].is_secret
        yield f"{at}.{key}", _shown(key, value, is_secret), str(place)


def _shown(key: str, value: Any, is_secret: bool) -> Any:
    if isinstance(value, dict):
        return {name: _shown(name, inner, is_secret) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shown(key, inner, is_secret) for inner in value]
    is_named = isinstance(value, str) and value.startswith("${") and value.endswith("}")
    return HIDDEN if (is_secret or holds_secret(key.lower())) and not is_named else value


def _defaults(at: str, table: Mapping[str, Any], fields: tuple[Field, ...]) -> Iterator[Row]:
    for field in fields:
        if field.key not in table and not field.is_required:
            default = field.default
            shown = default.strip("()") if isinstance(default, str) else default
            yield f"{at}.{field.key}", shown, "default"
