from dataclasses import fields
from urllib.parse import urlsplit

import pytest

from ucr.catalogue import ROWS, Row, row
from ucr.quirks import Quirks

IDS = [entry.id for entry in ROWS]


def test_every_id_is_there_once() -> None:
    assert len(set(IDS)) == len(IDS)
    assert {"anthropic", "openai", "google", "deepseek", "groq", "mistral", "openrouter"} <= set(IDS)


def test_an_unknown_id_has_no_row() -> None:
    assert row("nobody") is None
    assert row("groq") is next(entry for entry in ROWS if entry.id == "groq")


@pytest.mark.parametrize("entry", ROWS, ids=IDS)
def test_a_row_can_be_used(entry: Row) -> None:
    url = urlsplit(entry.base_url)
    is_local = url.hostname == "127.0.0.1"
    assert entry.dialect in ("anthropic", "cohere", "gemini", "openai-chat")
    assert entry.base_url == "" or url.scheme == ("http" if is_local else "https")
    assert not entry.base_url.endswith("/")
    assert bool(entry.key_variables) is not is_local
    assert (entry.auth == "none") is is_local


@pytest.mark.parametrize("entry", ROWS, ids=IDS)
def test_the_lines_of_a_row_have_a_pattern_and_a_value(entry: Row) -> None:
    for line in entry.quirks.model_efforts + entry.quirks.model_output_tokens:
        pattern, equals, _ = line.partition("=")
        assert pattern and equals
    assert all(line.partition("=")[2].isdecimal() for line in entry.quirks.model_output_tokens)


def test_every_quirk_is_described() -> None:
    text = Quirks.__doc__ or ""
    undescribed = {
        f.name for f in fields(Quirks) if f.name not in text and f.name not in SPEAKING_FOR_THEMSELVES
    }
    assert undescribed == set()


SPEAKING_FOR_THEMSELVES = frozenset(
    {"parallel_tool_calls", "image_urls", "files", "top_k", "service_tier", "prompt_cache_key", "stream_usage"}
)


def test_gemini_answers_to_both_names_of_its_key() -> None:
    google = row("google")
    assert google is not None
    assert google.base_url == "https://generativelanguage.googleapis.com"
    assert google.key_variables == ("GEMINI_API_KEY", "GOOGLE_API_KEY")
