"""The tools that the router runs, and the model that describes images: what may be written, and what is missing."""

import pytest

from ucr.config.bridge_model import Tools, Vision, WebFetch, WebSearch
from ucr.config.load import load
from ucr.config.model import Config, ModelTarget
from ucr.errors import ConfigError
from ucr.secret import Secret

PROVIDER = '[[providers]]\nid = "deepseek"\nauth = "none"\n[router]\ndefault = "deepseek"'


def loaded(*lines: str, **environ: str) -> Config:
    return load("\n".join((PROVIDER, *lines)), "ucr.toml", environ)


def problems(*lines: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(*lines)
    return [str(problem) for problem in caught.value.problems]


def test_nothing_is_run_where_nothing_is_configured() -> None:
    config = loaded()
    assert (config.tools, config.router.vision) == (Tools(), None)


def test_an_engine_needs_its_key_alone_and_an_empty_table_reads_pages() -> None:
    config = loaded(
        "[tools]",
        "max_rounds = 3",
        "[tools.web_search]",
        'engine = "brave"',
        'api_key = "${KEY}"',
        "[tools.web_fetch]",
        KEY="the-key",
    )
    search = WebSearch("brave", "https://api.search.brave.com", Secret("the-key"))
    assert config.tools == Tools(search, WebFetch(), 3)
    assert Secret("the-key") in config.secrets
    assert "the-key" not in repr(config)


def test_everything_can_be_said() -> None:
    tools = loaded(
        '[tools.web_search]\nengine = "searxng"\nurl = "http://10.0.0.1:8080/"\nmax_results = 3\ntimeout_s = 2',
        '[tools.web_fetch]\nmax_uses = 2\nmax_bytes = 4096\nallow_private = ["10.0.0.0/8"]',
    ).tools
    assert tools.web_search == WebSearch("searxng", "http://10.0.0.1:8080", None, 3, 8, 2.0)
    assert tools.web_fetch == WebFetch(2, 4096, allow_private=("10.0.0.0/8",))


def test_all_that_is_wrong_with_tools_is_told_at_once() -> None:
    rounds, searxng, private = problems(
        '[tools.web_search]\nengine = "searxng"',
        '[tools.web_fetch]\nallow_private = ["home"]',
        "[tools]\nmax_rounds = 0",
    )
    assert "tools.web_search.url" in searxng
    assert "write where your searxng is" in searxng
    assert "tools.web_fetch.allow_private" in private
    assert "tools.max_rounds" in rounds


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('engine = "brave"', "tools.web_search.api_key: is missing or empty; brave wants a key"),
        ('engine = "bing"', "must be one of searxng, brave, tavily"),
        ("max_uses = 3", "tools.web_search.engine: is missing"),
        ('engine = "searxng"\nurl = "http://a.test"\napi_key = "k"', "sends the key in clear"),
        ('engine = "searxng"\nurl = "http://169.254.1.1"', "never asked"),
        ('engine = "searxng"\nurl = "http://a.test"\nmax = 3', "tools.web_search.max: is unknown"),
        ('engine = "tavily"\napi_key = "${GONE}"', "GONE"),
    ],
)
def test_what_is_wrong_with_an_engine_is_told_once(lines: str, words: str) -> None:
    (problem,) = problems("[tools.web_search]", lines)
    assert words in problem


def test_vision_names_its_models() -> None:
    vision = loaded('[router.vision]\ntargets = "deepseek/eyes"\nmax_images = 2').router.vision
    assert vision == Vision((ModelTarget("deepseek", "eyes"),), max_images=2)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("max_images = 2", "router.vision.targets: is missing"),
        ('targets = "up"', 'names no model; write "up/a-model-that-takes-images"'),
        ('targets = "nobody/eyes"', "there is no provider 'nobody'"),
        ('targets = "deepseek"\nttl = 3', "router.vision.ttl: is unknown"),
    ],
)
def test_what_is_wrong_with_vision_is_told(lines: str, words: str) -> None:
    nameless = '[[providers]]\nid = "up"\ndialect = "openai-chat"\nbase_url = "https://up.test/v1"'
    (problem,) = problems("[router.vision]", lines, nameless)
    assert words in problem
