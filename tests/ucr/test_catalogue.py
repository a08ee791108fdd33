import ast
import json
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.world import answers, rows
from tests.world.router import config_of, open_router, provider
from ucr import catalogue
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
    assert entry.dialect in ("anthropic", "bedrock", "cohere", "gemini", "ollama", "openai-chat", "replicate")
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


NAMED = "anthropic openai azure google ollama lmstudio llamacpp vllm openrouter deepseek groq mistral together"
NAMED += " perplexity cohere github-copilot xai fireworks cerebras moonshot zai siliconflow nvidia huggingface"


def test_the_providers_that_are_promised_are_there() -> None:
    assert set(NAMED.split()) <= set(IDS)


@pytest.mark.parametrize("entry", ROWS, ids=IDS)
def test_what_a_provider_is_asked_and_what_is_read_of_its_answer_is_as_its_golden_says(entry: Row) -> None:
    assert rows.golden(entry).exists(), "run python -m tests.world.rows"
    assert rows.summary(entry) == json.loads(rows.golden(entry).read_bytes())


def test_every_golden_is_that_of_a_row() -> None:
    assert {path.stem for path in rows.GOLDENS.iterdir()} == set(IDS)


def test_a_row_of_a_host_of_open_models_is_at_most_fifteen_lines() -> None:
    """What a new provider differs in beyond that is a peculiarity that has to be looked into in any case."""
    tree = ast.parse(Path(catalogue.__file__).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    hosts = [call for call in calls if getattr(call.func, "id", "") in ("_host", "_local")]
    assert len(hosts) >= 10
    assert max((call.end_lineno or 0) - call.lineno + 1 for call in hosts) <= 15


def test_another_dialect_of_a_provider_is_where_the_row_says() -> None:
    deepseek = row("deepseek")
    assert deepseek is not None
    assert deepseek.base_url_for("anthropic") == "https://api.deepseek.com/anthropic"
    assert deepseek.base_url_for("openai-chat") == "https://api.deepseek.com/v1"


@pytest.mark.usefixtures("both_lanes")
@pytest.mark.parametrize("asked", [pytest.param("claude-opus-5-5", id="edge-193")])
async def test_an_anthropic_endpoint_of_somebody_else_is_asked_for_its_own_model(
    asked: str, autojump_clock: object
) -> None:
    up = provider("up", "anthropic", default_model="deepseek-v4-pro")
    turn: dict[str, Any] = {"role": "user", "content": "hi"}
    async with open_router(config_of(up), up=answers.says(200, answers.anthropic_reply())) as world:
        heard = await world.ask("/v1/messages", {"model": asked, "max_tokens": 5, "messages": [turn]})
    assert world.upstreams["up"].requests[0].json()["model"] == "deepseek-v4-pro"  # type: ignore[index]
    assert (heard.json()["model"], heard.headers["x-ucr-model"]) == (asked, "deepseek-v4-pro")
