"""The JSON Schema of the configuration file, for editors, made from the table of fields."""

import json

from ucr.config.field import Field, Section
from ucr.config.fields import SECTIONS
from ucr.config.kinds import Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> Schema:
    """Return the schema of `ucr.toml` and `ucr.json`."""
    return {
        "$schema": DIALECT,
        "title": "UCR configuration",
        "type": "object",
        "additionalProperties": False,
        "required": ["providers"],
        "properties": {"$schema": {"type": "string"}} | {s.name: _section(s) for s in SECTIONS},
    }


def _section(section: Section) -> Schema:
    table: Schema = {"type": "object", "description": section.says}
    if section.fields:
        table["properties"] = {field.key: _field(field) for field in section.fields}
    required = [field.key for field in section.fields if field.is_required]
    if required:
        table["required"] = required
    if section.open_kind is not None:
        table["additionalProperties"] = section.open_kind.schema()
    else:
        table["additionalProperties"] = False
    if section.is_list:
        return {"type": "array", "minItems": 1, "items": table}
    return table


def _field(field: Field) -> Schema:
    schema = field.kind.schema()
    if field.fields:
        schema |= _table_of(schema, field.fields)
    unit = f" Unit: {field.unit}." if field.unit else ""
    schema["description"] = f"{field.says}{unit}"
    if not (isinstance(field.default, str) and field.default.startswith("(")):
        schema["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    return schema


def _table_of(schema: Schema, fields: tuple[Field, ...]) -> Schema:
    """Return what is to be added to the schema of a table, or of a list of them, for the keys that it may hold."""
    table: Schema = {
        "properties": {entry.key: _field(entry) for entry in fields},
        "additionalProperties": False,
    }
    required = [entry.key for entry in fields if entry.is_required]
    if required:
        table["required"] = required
    return {"items": schema["items"] | table} if schema["type"] == "array" else table


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
