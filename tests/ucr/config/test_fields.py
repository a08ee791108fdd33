from dataclasses import fields
from typing import get_args

import pytest

from ucr.catalogue import Auth
from ucr.config.field import Section
from ucr.config.fields import (
    ADMIN,
    LEVELS,
    LOGGING,
    ROUTER,
    SECTIONS,
    TIMEOUTS,
)
from ucr.config.model import TASKS, Logging, Provider, Router, Server, Timeouts
from ucr.config.provider_fields import AUTHS, PROVIDERS
from ucr.config.server_fields import SERVER
from ucr.logs import LEVELS as LOG_LEVELS


@pytest.mark.parametrize(
    ("section", "model"),
    [(SERVER, Server), (TIMEOUTS, Timeouts), (LOGGING, Logging), (ROUTER, Router)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_field_of_the_model_has_its_key_and_every_key_in_use_its_field(
    section: Section, model: type
) -> None:
    keys = {entry.key for entry in section.fields}
    gathered = {"tasks"} if keys > set(TASKS) else set()
    assert keys - set(TASKS) == {field.name for field in fields(model)} - gathered


def test_every_field_of_a_provider_can_be_set() -> None:
    keys = {entry.key for entry in PROVIDERS.fields}
    made = {"quirks", "models_path", "aws", "is_signed_in", "written", "cards"}
    assert {field.name for field in fields(Provider)} - keys == made


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_key_stands_once_and_is_explained_in_a_sentence(section: Section) -> None:
    keys = [entry.key for entry in section.fields]
    assert len(set(keys)) == len(keys)
    for entry in section.fields:
        assert entry.says.endswith((".", "."))
        assert entry.says[0].isupper() or entry.says[0] in "`0123456789"


@pytest.mark.parametrize("section", [SERVER, TIMEOUTS, PROVIDERS, ADMIN], ids=lambda section: section.name)
def test_a_key_with_a_unit_in_its_name_says_it(section: Section) -> None:
    for entry in section.fields:
        if entry.key.endswith("_s"):
            assert entry.unit == "s"
        if entry.key.endswith("_bytes"):
            assert entry.unit == "bytes"


def test_choices_are_those_of_the_code() -> None:
    assert get_args(Auth) == AUTHS
    assert tuple(LOG_LEVELS) == LEVELS
