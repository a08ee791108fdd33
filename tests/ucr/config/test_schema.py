import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ucr.config.field import Section
from ucr.config.fields import SECTIONS
from ucr.config.schema import json_schema, schema_text

DOCS = Path(__file__).parents[3] / "docs"
VALIDATOR = jsonschema.Draft202012Validator(json_schema())
PROVIDER = {
    "id": "local",
    "dialect": "openai-chat",
    "base_url": "http://127.0.0.1:9101/v1",
    "api_key": "${KEY}",
}


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_exported_schema_is_the_one_of_the_code() -> None:
    assert (DOCS / "ucr.schema.json").read_text(encoding="utf-8") == schema_text()
    assert json.loads(schema_text()) == json_schema()


@pytest.mark.parametrize(
    "tree",
    [
        {"providers": [PROVIDER], "router": {"default": ["local", "local/m"]}},
        {"$schema": "x", "providers": [PROVIDER], "server": {"port": "${PORT}"}},
        {"providers": [{"id": "groq", "images": False, "drop": ["seed"], "idle_s": 3}]},
        {
            "providers": [PROVIDER],
            "models": {"fast": "local"},
            "cache": {"ttl_s": 1},
            "memory": {"worker_limit_bytes": 100_000_000},
        },
    ],
)
def test_right_files_are_valid(tree: dict[str, Any]) -> None:
    VALIDATOR.validate(tree)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"providers": []},
        {"providers": [{"dialect": "anthropic"}]},
        {"providers": [{**PROVIDER, "dialect": "gopher"}]},
        {"providers": [{**PROVIDER, "baseUrl": "x"}]},
        {"providers": [PROVIDER], "server": {"port": "3000"}},
        {"providers": [PROVIDER], "server": {"port": 70000}},
        {"providers": [PROVIDER], "models": {"fast": 1}},
        {"providers": [PROVIDER], "sever": {}},
    ],
)
def test_wrong_files_are_not(tree: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(tree)


@pytest.mark.parametrize("section", [s for s in SECTIONS if s.example], ids=lambda section: section.name)
def test_the_example_of_every_section_is_valid(section: Section) -> None:
    tree = tomllib.loads(section.example)
    VALIDATOR.validate({"providers": [PROVIDER]} | tree)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_default_fits_its_key(section: Section) -> None:
    for entry in section.fields:
        schema = json_schema()["properties"][section.name]
        entry_schema = schema.get("items", schema)["properties"][entry.key]
        if "default" in entry_schema:
            jsonschema.validate(entry_schema["default"], entry_schema)
