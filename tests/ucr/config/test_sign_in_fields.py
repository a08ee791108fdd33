from typing import Any

import pytest

from ucr.auth.sign_in import COPILOT, SignIn
from ucr.config.reading import Reading
from ucr.config.sign_in_fields import read_sign_in

WHOLE = {"client_id": "c", "token_url": "https://t.test/token"}


def read(table: dict[str, Any] | None, known: SignIn | None = None) -> tuple[SignIn | None, list[str]]:
    reading = Reading("ucr.toml", {})
    found = read_sign_in(reading, {} if table is None else {"sign_in": table}, known, "providers.p")
    return found, [f"{problem.key}: {problem.remedy}" for problem in reading.problems]


def test_without_a_table_it_is_what_the_catalogue_knows() -> None:
    assert read(None) == (None, [])
    assert read(None, COPILOT) == (COPILOT, [])


def test_the_file_says_otherwise_field_by_field() -> None:
    found, problems = read({"client_id": "mine"}, COPILOT)
    assert (found and (found.client_id, found.token_url), problems) == (("mine", COPILOT.token_url), [])
    assert read(WHOLE) == (SignIn("c", "https://t.test/token"), [])


@pytest.mark.parametrize(
    ("table", "problems"),
    [
        ({}, ["client_id: is missing", "token_url: is missing"]),
        ({**WHOLE, "tokenurl": 1}, ["tokenurl: is unknown; did you mean 'token_url'?"]),
        ({**WHOLE, "token_url": "http://t.test"}, ["token_url: must be https://"]),
        ({**WHOLE, "exchange_url": "http://t.test"}, ["exchange_url: must be https://"]),
        ({**WHOLE, "device_url": "no url"}, ["device_url: must be a URL"]),
    ],
)
def test_everything_that_is_wrong_is_told(table: dict[str, Any], problems: list[str]) -> None:
    found = read(table)[1]
    assert len(found) == len(problems)
    for said, words in zip(found, problems, strict=True):
        assert said.startswith(f"providers.p.sign_in.{words}")


def test_a_server_of_this_machine_may_be_asked_in_clear() -> None:
    assert read({**WHOLE, "token_url": "http://127.0.0.1:9/token"})[1] == []
