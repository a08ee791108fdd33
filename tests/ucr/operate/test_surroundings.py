import pytest

from ucr.config.load import load
from ucr.config.model import Config
from ucr.operate.surroundings import (
    ELSEWHERE,
    NoToken,
    claude_environment,
    client_token,
    codex_options,
    contradictions,
)

URL = "http://127.0.0.1:3000"
ANTHROPIC = '[[providers]]\nid = "anthropic"\napi_key = "k"\n[router]\ndefault = "anthropic"\n'
DEEPSEEK = '[[providers]]\nid = "deepseek"\napi_key = "k"\ndefault_model = "d1"\n{more}\n[router]\ndefault = "deepseek"\n'


def config_of(text: str) -> Config:
    return load(text, "ucr.toml", {})


def claude(text: str, **environ: str) -> dict[str, str]:
    return claude_environment(environ, URL, "t", config_of(text))


def test_claude_code_is_led_to_the_router_and_to_nobody_else() -> None:
    environ = claude(ANTHROPIC, PATH="/bin", ANTHROPIC_BASE_URL="https://x", **dict.fromkeys(ELSEWHERE, "1"))
    assert environ["ANTHROPIC_BASE_URL"] == URL
    assert environ["ANTHROPIC_AUTH_TOKEN"] == "t"
    assert environ["CLAUDE_CODE_GATEWAY_HINT_HEADERS"] == "1"
    assert environ["PATH"] == "/bin"
    assert environ.keys().isdisjoint(ELSEWHERE)
    assert "ANTHROPIC_MODEL" not in environ


def test_what_the_user_has_set_stays() -> None:
    environ = claude(
        DEEPSEEK.format(more=""), CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="0", ANTHROPIC_MODEL="mine"
    )
    assert environ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] == "0"
    assert environ["ANTHROPIC_MODEL"] == "mine"
    assert environ["CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"] == "1"


def test_another_model_is_told_by_its_name_and_window() -> None:
    environ = claude(DEEPSEEK.format(more="context_window = 64000"))
    assert environ["ANTHROPIC_MODEL"] == "d1"
    assert environ["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "64000"
    assert environ["ENABLE_TOOL_SEARCH"] == "false"
    assert environ["CLAUDE_CODE_ATTRIBUTION_HEADER"] == "0"


def test_a_window_that_is_not_known_is_not_told() -> None:
    text = '[[providers]]\nid = "own"\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
    environ = claude(f'{text}default_model = "m"\n[router]\ndefault = "own"\n')
    assert environ["ANTHROPIC_MODEL"] == "m"
    assert "CLAUDE_CODE_MAX_CONTEXT_TOKENS" not in environ


@pytest.mark.parametrize(
    "more",
    [
        '[models]\n"d1" = "groq/other"',
        '[[providers]]\nid = "groq"\napi_key = "k"\nmodels = ["d1"]\npriority = 9',
    ],
)
def test_a_name_that_would_lead_elsewhere_is_not_set(more: str) -> None:
    other = '[[providers]]\nid = "groq"\napi_key = "k"\n' if more.startswith("[models]") else ""
    environ = claude(f"{DEEPSEEK.format(more='')}\n{other}{more}\n")
    assert "ANTHROPIC_MODEL" not in environ
    assert "CLAUDE_CODE_MAX_CONTEXT_TOKENS" not in environ


@pytest.mark.parametrize(("window", "told"), [(150_000, "150000"), (50_000, None), (1_000_000, None)])
def test_the_window_of_a_claude_is_told_where_claude_code_lets_it_be(window: int, told: str | None) -> None:
    text = ANTHROPIC.replace('api_key = "k"', f'api_key = "k"\ncontext_window = {window}')
    assert claude(text).get("CLAUDE_CODE_AUTO_COMPACT_WINDOW") == told


def test_the_own_certificate_is_believed() -> None:
    environ = claude(f"{ANTHROPIC}[server]\ntls_cert = 'c.pem'\ntls_key = 'k.pem'\n")
    assert environ["NODE_EXTRA_CA_CERTS"] == "c.pem"


def test_a_configuration_that_leads_nowhere_sets_what_it_can() -> None:
    environ = claude_environment({}, URL, "t", Config())
    assert environ["ANTHROPIC_BASE_URL"] == URL
    assert "ANTHROPIC_MODEL" not in environ
    assert not any("window" in option for option in codex_options(URL, Config()))


def test_the_key_of_a_client_is_the_environments_then_the_files_then_any() -> None:
    keyed = config_of(f'{ANTHROPIC}[[clients]]\nname = "me"\nkey = "secret-key-of-me"\n')
    assert client_token(keyed, {"UCR_CLIENT_KEY": " own "}) == "own"
    assert client_token(keyed, {}) == "secret-key-of-me"
    assert client_token(config_of(ANTHROPIC), {}) == "ucr"
    digest = config_of(f'{ANTHROPIC}[[clients]]\nname = "me"\nkey_sha256 = "{"0" * 64}"\n')
    with pytest.raises(NoToken, match="set UCR_CLIENT_KEY"):
        client_token(digest, {})


def test_codex_gets_a_provider_of_its_own_and_the_window() -> None:
    options = codex_options(URL, config_of(DEEPSEEK.format(more="context_window = 64000")))
    assert options[::2] == ("-c",) * 6
    assert options[1::2] == (
        'model_provider="ucr"',
        'model_providers.ucr.name="UCR"',
        'model_providers.ucr.base_url="http://127.0.0.1:3000/v1"',
        'model_providers.ucr.wire_api="responses"',
        'model_providers.ucr.env_key="UCR_CODEX_TOKEN"',
        "model_context_window=64000",
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"env": {"ANTHROPIC_BASE_URL": "https://other"}}, ["env.ANTHROPIC_BASE_URL = https://other"]),
        ({"env": {"ANTHROPIC_BASE_URL": f"{URL}/"}, "model": "opus"}, []),
        ({"env": {"ANTHROPIC_AUTH_TOKEN": "sk-secret"}}, ["env.ANTHROPIC_AUTH_TOKEN"]),
        ({"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}}, ["env.CLAUDE_CODE_USE_BEDROCK"]),
        ({"env": {"CLAUDE_CODE_USE_BEDROCK": ""}}, []),
        ({"apiKeyHelper": "/bin/secret"}, ["apiKeyHelper"]),
        ({"env": []}, []),
        ([], []),
    ],
)
def test_settings_that_go_before_the_environment_are_found_and_no_secret_is_shown(
    settings: object, words: list[str]
) -> None:
    found = contradictions("settings.json", settings, URL)
    rest = "goes before the router's address; take it out"
    assert [str(each) for each in found] == [f"settings.json: {word} {rest}" for word in words]
