import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.access import digest
from ucr.config.load import load
from ucr.config.model import Cache, Client, Config, Logging, ModelTarget, Price, Server, Timeouts
from ucr.config.overrides import Overrides
from ucr.errors import ConfigError
from ucr.secret import Secret

MINIMAL = """\
[server]
host = "127.0.0.1"
port = 3000

[[providers]]
id = "local"
dialect = "openai-chat"                  # or "anthropic"; default from a catalogue by id \
("openai", "deepseek", "groq", …)
base_url = "http://127.0.0.1:9101/v1"
api_key = "${LOCAL_KEY}"
default_model = "gpt-x"

[router]
default = "local"                        # a provider id, or "provider/model"
"""
ENVIRON = {"LOCAL_KEY": "local-secret"}


def problems(text: str, environ: dict[str, str] | None = None, name: str = "ucr.toml") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text, name, ENVIRON if environ is None else environ)
    assert all(problem.file == name for problem in caught.value.problems)
    return [str(problem).removeprefix(f"{name}: ") for problem in caught.value.problems]


def loaded(more: str = "") -> Config:
    return load(f"{MINIMAL}\n{more}", "ucr.toml", ENVIRON)


def test_the_minimal_file_works() -> None:
    config = loaded()
    (provider,) = config.providers
    assert config.server == Server()
    assert (provider.id, provider.dialect, provider.base_url) == (
        "local",
        "openai-chat",
        "http://127.0.0.1:9101/v1",
    )
    assert provider.api_keys == (Secret("local-secret"),)
    assert (provider.auth, provider.default_model) == ("bearer", "gpt-x")
    assert config.router.default == (ModelTarget("local"),)
    assert (config.source, config.warnings) == ("ucr.toml", ())


def test_json_holds_the_same_keys() -> None:
    tree = {
        "$schema": "./ucr.schema.json",
        "providers": [
            {
                "id": "local",
                "dialect": "openai-chat",
                "base_url": "http://127.0.0.1:9101/v1",
                "api_key": "${LOCAL_KEY}",
                "default_model": "gpt-x",
            }
        ],
        "router": {"default": "local"},
    }
    config = load(json.dumps(tree), "ucr.json", ENVIRON)
    assert config.providers == loaded().providers
    assert config.router == loaded().router


def test_a_body_must_fit_among_the_bodies() -> None:
    found = problems("[server]\nbody_limit_bytes = 2_000\nbodies_limit_bytes = 1_999")
    remedy = "must be at least body_limit_bytes, 2000: else no such body could come"
    assert f"server.bodies_limit_bytes = 1999: {remedy}" in found


@pytest.mark.parametrize(("given", "missing"), [("tls_cert", "tls_key"), ("tls_key", "tls_cert")])
def test_tls_needs_a_certificate_and_its_key(given: str, missing: str) -> None:
    remedy = f"server.{missing}: is missing beside {given}: TLS needs both"
    assert remedy in problems(f"[server]\n{given} = 'file.pem'")


def test_every_section_is_read() -> None:
    config = loaded(
        """
        [timeouts]
        idle_s = 100
        [models]
        fast = ["local/gpt-y", "local"]
        [[clients]]
        name = "laptop"
        key = "${LOCAL_KEY}"
        rpm = 60
        tpm = 100_000
        concurrency = 4
        [[clients]]
        name = "desktop"
        key_sha256 = "%s"
        [admin]
        key = "admin-secret"
        [logging]
        level = "debug"
        file = "ucr.log"
        """
        % ("AB" * 32)
    )
    assert config.timeouts == Timeouts(idle_s=100.0)
    assert config.providers[0].timeouts == Timeouts(idle_s=100.0)
    assert dict(config.models) == {"fast": (ModelTarget("local", "gpt-y"), ModelTarget("local"))}
    assert config.clients == (
        Client("laptop", digest("local-secret"), rpm=60, tpm=100_000, concurrency=4),
        Client("desktop", "ab" * 32),
    )
    assert config.admin_key_sha256 == digest("admin-secret")
    assert config.logging == Logging("debug", "ucr.log")


def test_every_secret_is_kept_for_the_log_and_printed_nowhere() -> None:
    config = load(
        """
        [[providers]]
        id = "a"
        dialect = "anthropic"
        base_url = "https://a.test"
        api_keys = ["key-one", "key-two"]
        headers = { "X-Auth" = "header-secret", "x-team" = "blue" }
        [[clients]]
        name = "laptop"
        key = "client-secret"
        [admin]
        key = "admin-secret"
        [router]
        default = "a"
        """,
        "ucr.toml",
        {},
    )
    revealed = {secret.reveal() for secret in config.secrets}
    assert revealed == {"key-one", "key-two", "header-secret", "client-secret", "admin-secret"}
    assert not [secret for secret in revealed if secret in repr(config)]
    assert dict(config.providers[0].headers) == {"x-auth": "header-secret", "x-team": "blue"}


def test_all_problems_are_said_at_once() -> None:
    text = """
    [server]
    prot = 3000
    port = "3000"
    [[providers]]
    id = "local"
    dialect = "openai"
    base_url = "127.0.0.1:9101"
    api_key = "${LOST}"
    baseUrl = "x"
    [router]
    default = "locl"
    [lodging]
    """
    assert problems(text) == [
        "lodging: is unknown; did you mean 'logging'?",
        "providers.local.dialect = 'openai': must be one of anthropic, bedrock, cohere, gemini, ollama, openai-chat, "
        "openai-responses, replicate",
        "providers.local.base_url = '127.0.0.1:9101': must be a URL such as https://api.example.com/v1",
        "providers.local.api_key: the variable LOST is not set; set it in the environment, or write the value "
        "here",
        "providers.local.baseUrl: is unknown; did you mean 'base_url'?",
        "server.prot: is unknown; did you mean 'port'?",
        "server.port = '3000': must be a whole number from 0 to 65535",
        "router.default = 'locl': there is no provider 'locl'; did you mean 'local'?",
    ]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        pytest.param(
            "[timeouts]\nidle_s = 0", "timeouts.idle_s = 0: must lie between 0.001 and 86400", id="range"
        ),
        pytest.param(
            "[state]\nmax_bytes = 1",
            "state.max_bytes = 1: must lie between 1048576 and 1099511627776",
            id="bytes",
        ),
        pytest.param(
            "[logging]\nlevel = 'loud'",
            "logging.level = 'loud': must be one of debug, info, warning, error, critical",
            id="choice",
        ),
        pytest.param(
            "[models]\nx = 5",
            'models.x = 5: must be a target, "provider" or "provider/model", or a list of them',
            id="target",
        ),
        pytest.param(
            "[models]\nx = '${LOST}'",
            "models.x = '${LOST}': the variable LOST is not set; set it in the "
            "environment, or write the value here",
            id="alias-variable",
        ),
        pytest.param(
            "[[clients]]\nkey = 'a'",
            "clients[0].name: is missing; it must be letters, digits, dots, dashes and underscores",
            id="client-without-name",
        ),
        pytest.param(
            "[[clients]]\nname = 'a'", "clients.a.key: is missing; write key or key_sha256", id="no-key"
        ),
        pytest.param(
            "[[clients]]\nname = 'a'\nkey = ''",
            "clients.a.key: is empty; an empty key would let everybody in",
            id="empty-key",
        ),
        pytest.param(
            "[[clients]]\nname = 'a'\nkey = 'b'\nkey_sha256 = '" + "0" * 64 + "'",
            "clients.a.key_sha256: stands beside key; write one of them",
            id="two-keys",
        ),
        pytest.param(
            "[[providers]]\nid = 'local'\ndialect = 'anthropic'\nbase_url = 'https://x.test'",
            "providers = 'local': this id is used twice; give each provider its own",
            id="same-id",
        ),
        pytest.param(
            "[[clients]]\nname = 'a'\nkey = 'b'\n[[clients]]\nname = 'a'\nkey = 'c'",
            "clients = 'a': this name is used twice; give each client its own",
            id="same-client",
        ),
        pytest.param(
            "[[providers]]\nid = 'a/b'",
            "providers.a/b.id = 'a/b': must be letters, digits, dots, dashes and underscores",
            id="slash-in-id",
        ),
        pytest.param(
            "[cache]\n[memory]\n[[clients]]\nname = 'a'\nkey = 1",
            "clients.a.key: must be text, best as a reference such as ${MY_KEY}",
            id="secret-value-not-shown",
        ),
    ],
)
def test_a_problem_names_key_value_and_remedy(more: str, problem: str) -> None:
    assert problem in problems(f"{MINIMAL}\n{more}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("server = 1", "server = 1: must be a table: [server]"),
        ("providers = 1", "providers: must be a list of tables: [[providers]]"),
        ("cache = 1", "cache = 1: must be a table: [cache]"),
        ("memory = 1", "memory = 1: must be a table: [memory]"),
        ("", "providers: there is none; add [[providers]] with an id, or start without a file"),
    ],
)
def test_sections_of_the_wrong_shape_are_problems(text: str, problem: str) -> None:
    assert problem in problems(text)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("ucr.toml", "a = ", "this is not TOML: Invalid value (at end of document)"),
        ("ucr.json", '{"a": }', "this is not JSON: "),
        ("ucr.toml", f"a = {'1' * 5000}", "this is not TOML: Exceeds the limit (4300 digits)"),
        ("ucr.toml", f"a = {'[' * 5000}", "this is not TOML: maximum recursion depth exceeded"),
        ("ucr.json", "[1]", "the file must hold one object"),
        ("ucr.json", "\udc80", "this is not JSON: "),
    ],
)
def test_a_file_that_cannot_be_parsed_is_one_problem(name: str, text: str, words: str) -> None:
    (problem,) = problems(text, name=name)
    assert problem.startswith(f"syntax: {words}")


def test_a_byte_order_mark_is_no_problem() -> None:
    assert load(f"\ufeff{MINIMAL}", "ucr.toml", ENVIRON).providers


def test_secrets_that_are_written_in_the_wrong_place_are_not_shown() -> None:
    text = MINIMAL.replace("openai-chat", "sk-0123456789abcdef").replace("127.0.0.1:9101", "me:pw-word@host")
    said = "\n".join(problems(f"{text}\n[[providers]]\napikey = 'plain-secret'\nid = 'b'"))
    assert "sk-01234" not in said
    assert "plain-secret" not in said
    assert "pw-word" not in said
    assert "did you mean 'api_key'?" in said


def test_values_of_the_environment_are_shown_as_they_are_written() -> None:
    (problem,) = problems(MINIMAL.replace("3000", '"${LOCAL_KEY}"'))
    assert problem.startswith("server.port = '${LOCAL_KEY}': must be a whole number")


def test_a_number_beyond_its_bounds_is_told_with_them() -> None:
    assert "router.token_threshold = 0: must lie between 1 and 1000000" in problems(
        f"{MINIMAL}token_threshold = 0"
    )


def test_tasks_have_targets_of_their_own() -> None:
    config = loaded(
        "think = ['local/deep', 'local']\nbackground = 'local'\ntoken_threshold = 5\nkeywords = true"
    )
    router = config.router
    assert router.tasks == {
        "think": (ModelTarget("local", "deep"), ModelTarget("local")),
        "background": (ModelTarget("local"),),
    }
    assert (router.token_threshold, router.keywords) == (5, True)
    found = problems(f"{MINIMAL}think = 'lokal'\nimage = 3\nkeywords = 'yes'")
    assert "router.think = 'lokal': there is no provider 'lokal'; did you mean 'local'?" in found
    assert any(line.startswith("router.image") for line in found)
    assert any(line.startswith("router.keywords") for line in found)


def test_the_cache_is_on_unless_it_is_turned_off() -> None:
    assert loaded("").cache == Cache(enabled=True, ttl_s=300.0, max_entries=500, max_bytes=50 * 1024 * 1024)
    assert loaded("[cache]\nenabled = false\nttl_s = 9").cache == Cache(enabled=False, ttl_s=9.0)
    assert "cache.max_entries = 0: must lie between 1 and 1000000" in problems(
        f"{MINIMAL}[cache]\nmax_entries = 0"
    )


def test_a_file_without_a_default_is_warned_of() -> None:
    config = load(MINIMAL.replace('default = "local"', ""), "ucr.toml", ENVIRON)
    assert "router.default is not set" in config.warnings[0]


def test_a_target_that_is_switched_off_is_warned_of() -> None:
    config = load(MINIMAL.replace('id = "local"', 'id = "local"\nenabled = false'), "ucr.toml", {})
    assert config.warnings == ("ucr.toml: router.default names the provider 'local', which is not enabled",)


def test_an_open_address_is_a_problem_among_the_others() -> None:
    said = problems(MINIMAL.replace('"127.0.0.1"', '"0.0.0.0"') + "[x]")
    assert said[0].startswith("x: is unknown; known are admin, cache, clients, journal, logging,")
    assert said[1].startswith("server.host = 0.0.0.0: others can reach this address")


def test_overrides_go_before_the_file() -> None:
    config = load(MINIMAL, "ucr.toml", ENVIRON, Overrides(port=0, log_level="error"))
    assert (config.server.port, config.logging.level) == (0, "error")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["server", "providers", "models", "router", "clients", "admin", "cache", "logging", "version"]
)


@given(
    st.dictionaries(
        KEYS,
        JSON
        | st.lists(
            st.dictionaries(
                st.sampled_from(
                    ["id", "name", "key", "timeouts", "baseUrl", "headers", "api_keys", "enabled", "priority"]
                ),
                JSON,
                max_size=4,
            ),
            max_size=2,
        ),
        max_size=4,
    )
)
@pytest.mark.slow
@settings(max_examples=150)
def test_whatever_the_file_holds_only_its_problems_are_raised(tree: dict[str, object]) -> None:
    for name in ("ucr.json", "ucr.config.json"):
        try:
            load(json.dumps(tree), name, {})
        except ConfigError as error:
            assert error.problems


def test_prices_are_read_in_their_order() -> None:
    text = """
        [[prices]]
        provider = "local"
        model = "llama*"
        input = 0.2
        output = 0.6
        cache_read = 0.02
        [[prices]]
        input = 0
        output = 0
    """
    assert loaded(text).prices == (Price(0.2, 0.6, "local", "llama*", 0.02), Price(0, 0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[prices]]\ninput = 1", "prices[0].output: is missing; it must be number"),
        ("[[prices]]\ninput = -1\noutput = 1", "prices[0].input = -1: must lie between 0 and 1000000"),
        (
            "[[prices]]\nprovider = 'locl'\ninput = 1\noutput = 1",
            "prices[0].provider = 'locl': there is no provider 'locl'; did you mean 'local'?",
        ),
    ],
)
def test_prices_that_cannot_be_meant_are_refused(text: str, words: str) -> None:
    assert words in problems(MINIMAL + text)
