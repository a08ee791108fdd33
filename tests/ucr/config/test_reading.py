import pytest

from ucr.config.fields import LOGGING
from ucr.config.interpolate import fill
from ucr.config.provider_fields import PROVIDERS
from ucr.config.reading import SHOWN_LIMIT, Reading, did_you_mean, shown_value
from ucr.config.server_fields import SERVER


def test_what_is_right_is_read_beside_what_is_wrong() -> None:
    reading = Reading("ucr.toml", {"PORT": "4000"})
    values = reading.values({"port": "${PORT}", "host": 5, "grace": 1}, SERVER.fields, "server")
    assert values == {"port": 4000}
    assert [problem.key for problem in reading.problems] == ["server.host", "server.grace"]


def test_values_without_their_variables_may_be_left_out() -> None:
    reading = Reading("ucr.toml", {})
    table = {"id": "x", "api_key": "${LOST}"}
    assert reading.values(table, PROVIDERS.fields, "x", without_variables=True) == {"id": "x"}
    assert not reading.problems


def test_a_required_key_is_missed() -> None:
    reading = Reading("ucr.toml", {})
    assert reading.values({}, PROVIDERS.fields, "providers[0]") == {}
    assert [problem.key for problem in reading.problems] == ["providers[0].id"]


def test_tables_of_the_wrong_shape_are_read_as_none() -> None:
    reading = Reading("ucr.toml", {})
    assert reading.table({"logging": []}, LOGGING) == {}
    assert reading.tables({"providers": [1]}, PROVIDERS) == []
    assert [problem.key for problem in reading.problems] == ["logging", "providers"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "'text'"),
        (5, "5"),
        ("x" * 100, "'" + "x" * (SHOWN_LIMIT - 2) + "…"),
        ("sk-0123456789abcdef", "'[redacted]'"),
        (fill("${KEY}", {"KEY": "secret"}), "'${KEY}'"),
    ],
)
def test_values_are_shown_short_and_without_secrets(value: object, shown: str) -> None:
    assert shown_value(value) == shown


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("baseUrl", "; did you mean 'base_url'?"),
        ("base-url", "; did you mean 'base_url'?"),
        ("modles", "; did you mean 'models'?"),
        ("zzz", "; known are base_url, models"),
    ],
)
def test_the_nearest_word_is_offered(word: str, words: str) -> None:
    assert did_you_mean(word, ("models", "base_url")) == words
    assert did_you_mean(word, ()) == ""
