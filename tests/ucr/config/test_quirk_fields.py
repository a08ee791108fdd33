from dataclasses import fields

import pytest

from ucr.catalogue import ROWS, Quirks
from ucr.config.kinds import Wrong
from ucr.config.quirk_fields import quirk_keys, quirk_kind, quirk_sentence


def test_every_quirk_is_a_key() -> None:
    assert quirk_keys() == tuple(field.name for field in fields(Quirks))


@pytest.mark.parametrize("key", quirk_keys())
def test_the_values_of_the_catalogue_fit_the_kind_of_their_key(key: str) -> None:
    kind = quirk_kind(key)
    for value in {getattr(row.quirks, key) for row in ROWS} - {None}:
        assert kind.read(list(value) if isinstance(value, tuple) else value) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_inputs", "prompt"),
        ("model_efforts", "=low"),
        ("model_context_windows", "m=many"),
        ("model_output_tokens", "m="),
    ],
)
def test_what_says_nothing_of_a_model_is_wrong(key: str, value: str) -> None:
    with pytest.raises(Wrong, match="a model \\(or pattern\\), `=`, and"):
        quirk_kind(key).read([value])


@pytest.mark.parametrize("key", quirk_keys())
def test_every_quirk_is_explained_in_a_sentence(key: str) -> None:
    sentence = quirk_sentence(key)
    assert sentence[0].isupper() or sentence[0] == "`"
    assert sentence.endswith(".")


def test_sentences_are_those_of_the_catalogue() -> None:
    assert "nine letters and digits" in quirk_sentence("tool_id")
