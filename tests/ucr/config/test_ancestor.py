import json
from typing import Any

import pytest

from ucr.config.ancestor import is_ancestor, translated
from ucr.config.load import load
from ucr.config.model import Config, Logging, ModelTarget, Server, Timeouts
from ucr.errors import ConfigError

WHOLE: dict[str, Any] = {
    "version": "1.0.0",
    "server": {
        "host": "localhost",
        "port": 3456,
        "cors": {"origin": "*", "credentials": True},
        "rateLimit": {"max": 100, "timeWindow": "1 minute"},
    },
    "logging": {"level": "warn", "file": "ucr.log", "pretty": True, "requests": False},
    "providers": [
        {
            "id": "anthropic",
            "name": "Anthropic",
            "baseUrl": "https://api.anthropic.com",
            "apiKey": "${ANTHROPIC_API_KEY}",
            "authType": "apiKey",
            "defaultModel": "claude-opus-5-5",
            "models": ["claude-opus-5-5", "claude-haiku-5-5"],
            "enabled": True,
            "priority": 10,
            "timeout": 60000,
            "maxRetries": 3,
            "headers": {"X-Team": "blue"},
            "metadata": {"region": "eu"},
        },
        {
            "id": "openai",
            "name": "OpenAI",
            "baseUrl": "https://api.openai.com",
            "apiKey": "${OPENAI_API_KEY}",
            "authType": "bearerToken",
            "defaultModel": "gpt-5.6",
            "priority": 8,
        },
        {
            "id": "box",
            "name": "Box",
            "baseUrl": "http://192.168.1.5:11434",
            "authType": "none",
            "defaultModel": "m",
        },
        {
            "id": "spare",
            "name": "Spare",
            "baseUrl": "https://s.test/v1",
            "apiKey": "${UNSET}",
            "enabled": False,
        },
    ],
    "router": {
        "default": "anthropic",
        "think": "anthropic",
        "background": "box",
        "longContext": "anthropic",
        "webSearch": "openai",
        "image": "openai",
        "tokenThreshold": 60000,
    },
    "features": {"costTracking": True},
}
ENVIRON = {"ANTHROPIC_API_KEY": "sk-ant-one", "OPENAI_API_KEY": "sk-two"}


def loaded(tree: dict[str, Any], name: str = "ucr.config.json") -> Config:
    return load(json.dumps(tree), name, ENVIRON)


def with_provider(**fields: Any) -> dict[str, Any]:
    return {"providers": [{"id": "x", "name": "X", "baseUrl": "https://x.test/v1", **fields}]}


def test_the_whole_file_is_read_unchanged() -> None:
    config = loaded(WHOLE)
    anthropic, openai, box, spare = config.providers
    assert config.server == Server(host="127.0.0.1", port=3456)
    assert config.logging == Logging("warning", "ucr.log")
    assert config.router.default == (ModelTarget("anthropic"),)
    assert {task: str(targets[0]) for task, targets in config.router.tasks.items()} == {
        "think": "anthropic",
        "background": "box",
        "long_context": "anthropic",
        "web_search": "openai",
        "image": "openai",
    }
    assert config.router.token_threshold == 60_000
    assert (anthropic.dialect, anthropic.base_url, anthropic.auth) == (
        "anthropic",
        "https://api.anthropic.com",
        "x-api-key",
    )
    assert anthropic.api_keys[0].reveal() == "sk-ant-one"
    assert anthropic.models == ("claude-opus-5-5", "claude-haiku-5-5")
    assert (anthropic.default_model, anthropic.priority) == ("claude-opus-5-5", 10)
    assert anthropic.timeouts == Timeouts(first_byte_s=60.0)
    assert dict(anthropic.headers) == {"x-team": "blue"}
    assert (openai.base_url, openai.auth, openai.enabled) == ("https://api.openai.com/v1", "bearer", True)
    assert (box.dialect, box.base_url, box.auth) == ("openai-chat", "http://192.168.1.5:11434/v1", "none")
    assert not spare.enabled


def test_what_has_no_effect_is_warned_of_once_each() -> None:
    warnings = [words.removeprefix("ucr.config.json: ") for words in loaded(WHOLE).warnings]
    assert warnings == [
        'server.cors "*" is ignored: it would let every web page spend your keys',
        "server.rateLimit has no effect",
        "logging.pretty has no effect: the log is JSON lines",
        "logging.requests has no effect: each request is one line of the level info",
        "providers.maxRetries has no effect: UCR decides itself whether a retry can help",
        "providers.box.baseUrl: http:// sends keys and texts in clear",
    ]


@pytest.mark.parametrize(
    ("cors", "origins"),
    [
        ({"origin": "https://app.test"}, ("https://app.test",)),
        ({"origin": ["https://a.test", "*"]}, ("https://a.test",)),
        ({"origin": "*"}, ()),
        ({"credentials": True}, ()),
        (True, ()),
        (False, ()),
    ],
)
def test_origins_are_allowed_by_name_and_never_all_of_them(cors: object, origins: tuple[str, ...]) -> None:
    config = loaded({**with_provider(), "server": {"cors": cors}})
    assert config.server.allowed_origins == origins


@pytest.mark.parametrize(
    ("id_", "url", "root"),
    [
        ("openai", "https://api.openai.com/", "https://api.openai.com/v1"),
        ("openai", "https://proxy.test", "https://proxy.test/v1"),
        ("x", "https://x.test", "https://x.test/v1"),
        ("x", "https://x.test/v2", "https://x.test/v2"),
        ("anthropic", "https://proxy.test", "https://proxy.test"),
    ],
)
def test_an_address_without_a_path_gets_the_version_that_the_ancestor_added(
    id_: str, url: str, root: str
) -> None:
    assert loaded(with_provider(id=id_, baseUrl=url, apiKey="k")).providers[0].base_url == root


@pytest.mark.parametrize("kind", ["oauth", "basic"])
def test_a_provider_that_needs_signing_in_is_off_with_a_warning(kind: str) -> None:
    config = loaded(with_provider(authType=kind))
    assert not config.providers[0].enabled
    assert any(f"providers.x is off: sign-in of the kind {kind!r}" in words for words in config.warnings)


def test_without_a_default_the_enabled_provider_of_most_priority_serves() -> None:
    providers = [
        {
            "id": name,
            "name": name,
            "baseUrl": f"https://{name}.test/v1",
            "priority": priority,
            "enabled": name != "c",
        }
        for name, priority in (("a", 1), ("b", 5), ("c", 9))
    ]
    assert loaded({"providers": providers}).router.default == (ModelTarget("b"),)


@pytest.mark.parametrize(
    ("tree", "name", "expected"),
    [
        ({}, "ucr.config.json", True),
        (with_provider(), "ucr.json", True),
        ({"version": "1.0.0"}, "ucr.json", True),
        ({"providers": [{"id": "x", "base_url": "https://x.test"}]}, "ucr.json", False),
        ({"providers": 1}, "ucr.json", False),
    ],
)
def test_the_file_is_known_by_its_name_or_by_its_keys(tree: dict[str, Any], name: str, expected: bool) -> None:
    assert is_ancestor(tree, name) is expected


def test_wrong_values_are_found_as_in_any_other_file() -> None:
    tree = {
        "server": {"port": "x"},
        "logging": {"level": 5},
        "providers": [{"id": "x", "baseUrl": "x.test", "authType": "magic", "priority": "high"}, 5],
        "router": {"default": "y", "nonsense": 1},
    }
    with pytest.raises(ConfigError) as caught:
        loaded(tree)
    assert {problem.key for problem in caught.value.problems} == {
        "server.port",
        "logging.level",
        "providers",
        "router.default",
        "router.nonsense",
    }


def test_translation_leaves_the_given_tree_as_it_was() -> None:
    before = json.dumps(WHOLE)
    translated(WHOLE)
    assert json.dumps(WHOLE) == before
