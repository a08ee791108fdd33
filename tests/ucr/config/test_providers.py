import pytest

from actors.proxy import Proxy
from ucr.auth.credential import Credential
from ucr.catalogue import row
from ucr.config.model import Provider, Timeouts
from ucr.config.providers import key_of, provider_of, read_providers
from ucr.config.reading import Reading, Values
from ucr.secret import Secret


def read(table: Values, environ: dict[str, str] | None = None) -> tuple[tuple[Provider, ...], list[str]]:
    reading = Reading("ucr.toml", environ or {})
    providers = read_providers(reading, [table], Timeouts())
    return providers, [f"{problem.key}: {problem.remedy}" for problem in reading.problems]


def one(table: Values, environ: dict[str, str] | None = None) -> Provider:
    (provider,), problems = read(table, environ)
    assert not problems
    return provider


PLAIN = {"id": "x", "dialect": "openai-chat", "base_url": "https://x.test/v1"}


def test_the_catalogue_fills_what_is_left_out() -> None:
    provider = one({"id": "openai"}, {"OPENAI_API_KEY": "sk-1"})
    known = row("openai")
    assert known is not None
    assert (provider.dialect, provider.base_url, provider.quirks) == (
        known.dialect,
        known.base_url,
        known.quirks,
    )
    assert [key.reveal() for key in provider.api_keys] == ["sk-1"]


def test_the_file_goes_before_the_catalogue() -> None:
    provider = one({"id": "openai", "api_key": "a", "base_url": "https://proxy.test/v1", "default_model": "m"})
    assert (provider.base_url, provider.default_model) == ("https://proxy.test/v1", "m")
    assert provider.quirks == provider_of(row("openai") or pytest.fail()).quirks


@pytest.mark.parametrize("table", [{"id": "openai"}, {"id": "openai", "api_key": ""}])
def test_a_known_provider_without_its_key_is_a_problem(table: Values) -> None:
    assert read(table)[1] == [
        "providers.openai.api_key: no API key; set OPENAI_API_KEY or providers.openai.api_key,"
        " or run: ucr-trio auth login openai"
    ]


KEY = Credential("api_key", Secret("sk-typed"))
OAUTH = Credential("oauth", Secret("gho_x"), base_url="https://api.business.githubcopilot.com")


def signed(table: Values, credential: Credential, environ: dict[str, str] | None = None) -> Provider:
    reading = Reading("ucr.toml", environ or {}, {table["id"]: credential})
    (provider,) = read_providers(reading, [table], Timeouts())
    assert reading.problems == []
    assert set(provider.api_keys) <= set(reading.secrets)
    return provider


def test_a_key_that_was_typed_stands_in_for_one_that_nobody_configured() -> None:
    assert signed({"id": "openai"}, KEY).api_keys == (Secret("sk-typed"),)
    assert signed({"id": "openai"}, KEY, {"OPENAI_API_KEY": "sk-1"}).api_keys == (Secret("sk-1"),)
    assert signed({"id": "openai", "api_key": "sk-2"}, KEY).api_keys == (Secret("sk-2"),)
    assert signed(PLAIN, KEY).api_keys == (Secret("sk-typed"),)
    assert signed({"id": "ollama"}, KEY).api_keys == ()


def test_who_has_signed_in_needs_no_key_and_is_asked_where_the_user_belongs() -> None:
    found = signed({"id": "github-copilot"}, OAUTH)
    assert (found.is_signed_in, found.api_keys) == (True, ())
    assert found.base_url == "https://api.business.githubcopilot.com"
    here = signed({"id": "github-copilot", "base_url": "https://proxy.test"}, OAUTH)
    assert (here.is_signed_in, here.base_url) == (True, "https://proxy.test")
    keyed = signed({"id": "github-copilot"}, OAUTH, {"COPILOT_API_TOKEN": "tid=1"})
    assert (keyed.is_signed_in, keyed.base_url) == (False, "https://api.githubcopilot.com")
    assert not signed(PLAIN, OAUTH).is_signed_in


def test_a_key_whose_variable_is_not_set_is_one_problem_only() -> None:
    assert len(read({"id": "openai", "api_key": "${LOST}"})[1]) == 1


@pytest.mark.parametrize(
    "more",
    [{"base_url": "http://127.0.0.1:8080/v1"}, {"auth": "none"}, {"headers": {"authorization": "Bearer x"}}],
)
def test_a_known_provider_may_need_no_key(more: Values) -> None:
    assert one({"id": "openai", **more}).api_keys == ()


def test_several_keys_are_kept_in_their_order() -> None:
    assert [key.reveal() for key in one({**PLAIN, "api_keys": ["a", "b"]}).api_keys] == ["a", "b"]


def test_one_key_and_several_exclude_each_other() -> None:
    assert read({**PLAIN, "api_key": "a", "api_keys": ["b"]})[1] == [
        "providers.x.api_keys: stands beside api_key; write one of them"
    ]


def test_an_unknown_provider_needs_dialect_and_address() -> None:
    assert [problem.partition(":")[0] for problem in read({"id": "x"})[1]] == [
        "providers.x.dialect",
        "providers.x.base_url",
    ]


def test_a_provider_without_id_is_named_by_its_place() -> None:
    providers, problems = read({"dialect": "anthropic"})
    assert providers == ()
    assert problems[0].startswith("providers[0].id: is missing")


@pytest.mark.parametrize(("dialect", "auth"), [("anthropic", "x-api-key"), ("openai-chat", "bearer")])
def test_a_key_is_sent_as_its_dialect_does(dialect: str, auth: str) -> None:
    assert one({**PLAIN, "dialect": dialect}).auth == auth
    assert one({**PLAIN, "dialect": dialect, "auth": "both"}).auth == "both"


def test_azure_wants_its_own_header_whatever_the_provider_is_called() -> None:
    assert one(PLAIN | {"platform": "azure", "api_version": "2024-10-21"}).auth == "api-key"
    assert one({"id": "azure", "base_url": "https://me.test", "api_key": "k"}).quirks.platform == "azure"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (None, "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("europe-west1", "https://europe-west1-aiplatform.googleapis.com"),
    ],
)
def test_vertex_is_where_its_location_is(location: str | None, url: str) -> None:
    more = {} if location is None else {"location": location}
    provider = one({"id": "vertex", "project": "p", "credentials": "/c.json", **more})
    assert (provider.base_url, provider.auth, provider.credentials) == (url, "bearer", "/c.json")


def test_vertex_takes_the_credentials_that_googles_programs_take_or_a_token() -> None:
    found = one({"id": "vertex-anthropic", "project": "p"}, {"GOOGLE_APPLICATION_CREDENTIALS": "/g.json"})
    assert (found.credentials, found.dialect) == ("/g.json", "anthropic")
    keyed = one({"id": "vertex", "project": "p", "api_key": "t"}, {"GOOGLE_APPLICATION_CREDENTIALS": "/g"})
    assert (keyed.credentials, len(keyed.api_keys)) == (None, 1)


def test_vertex_without_a_project_or_a_sign_in_is_a_problem() -> None:
    assert read({"id": "vertex", "location": "a/b"})[1] == [
        "providers.vertex.project: is missing; write the id of a project of Google Cloud",
        "providers.vertex.location: must be a name such as my-project or europe-west1",
        "providers.vertex.api_key: no API key; set VERTEX_ACCESS_TOKEN or providers.vertex.api_key,"
        " or run: ucr-trio auth login vertex",
    ]


def test_a_known_id_of_another_dialect_sends_its_key_as_that_dialect_does() -> None:
    assert one({"id": "openai", "dialect": "anthropic", "api_key": "a"}).auth == "x-api-key"


@pytest.mark.parametrize("url", ["http://10.0.0.2:8000/v1", "http://gpu.lan/v1"])
def test_plain_http_to_another_machine_must_be_allowed(url: str) -> None:
    (problem,) = read({**PLAIN, "base_url": url})[1]
    assert "allow_http = true" in problem
    assert one({**PLAIN, "base_url": url, "allow_http": True}).base_url == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]:1/v1"])
def test_plain_http_to_loopback_needs_no_permission(url: str) -> None:
    assert one({**PLAIN, "base_url": url}).base_url == url


def test_limits_stand_alone_or_in_a_table_and_alone_goes_first() -> None:
    provider = one({**PLAIN, "idle_s": 1, "timeouts": {"idle_s": 2, "total_s": 3}})
    assert provider.timeouts == Timeouts(idle_s=1.0, total_s=3.0)
    assert read({**PLAIN, "timeouts": {"idle": 2}})[1] == [
        "providers.x.timeouts.idle: is unknown; did you mean 'idle_s'?"
    ]


def test_quirks_are_set_under_their_own_names() -> None:
    quirks = one({**PLAIN, "tool_id": "alnum9", "drop": ["seed"], "images": False, "stop_limit": 2}).quirks
    assert (quirks.tool_id, quirks.drop, quirks.images, quirks.stop_limit) == ("alnum9", ("seed",), False, 2)
    assert read({**PLAIN, "tool_id": "any9"})[1] == ["providers.x.tool_id: must be one of any, alnum9"]


def test_a_provider_that_is_off_needs_no_variables_but_its_keys_are_checked() -> None:
    assert not one({"id": "openai", "enabled": False, "api_key": "${LOST}"}).enabled
    assert read({"id": "openai", "enabled": False, "api_kye": "x"})[1] == [
        "providers.openai.api_kye: is unknown; did you mean 'api_key'?"
    ]


def test_the_first_variable_that_holds_a_key_counts() -> None:
    known = row("openai")
    assert known is not None
    assert key_of(known, {"OPENAI_API_KEY": " sk-1 "})[0].reveal() == "sk-1"
    assert key_of(known, {}) == ()


@pytest.mark.parametrize("text", ["sk-1\r\nx: y", "schlüssel", "two words"])
def test_what_no_header_can_carry_is_no_key(text: str) -> None:
    providers, problems = read({"id": "openai"}, {"OPENAI_API_KEY": text})
    assert providers[0].api_keys == ()
    assert "OPENAI_API_KEY" in problems[0]


def test_a_provider_may_be_reached_by_http2_and_through_a_proxy() -> None:
    assert (one(PLAIN).http2, one(PLAIN).proxy) == (False, None)
    provider = one({**PLAIN, "http2": True, "proxy": "${WAY}"}, {"WAY": "http://me:secret@proxy.test:3128"})
    assert (provider.http2, provider.proxy) == (True, Proxy("http", "proxy.test", 3128, "me", "secret"))
    assert "secret" not in repr(provider)


def test_the_password_of_a_proxy_is_a_secret_and_its_url_is_never_shown() -> None:
    reading = Reading("ucr.toml", {})
    read_providers(reading, [{**PLAIN, "proxy": "socks5://me:secret@proxy.test"}], Timeouts())
    assert [secret.reveal() for secret in reading.secrets] == ["secret"]
    read_providers(reading, [{**PLAIN, "proxy": "gopher://me:secret@proxy.test"}], Timeouts())
    [problem] = reading.problems
    assert problem.key == "providers.x.proxy"
    assert "secret" not in str(problem)


def test_a_dialect_that_a_provider_speaks_elsewhere_is_asked_for_there() -> None:
    deepseek = one({"id": "deepseek", "dialect": "anthropic", "api_key": "a"})
    assert (deepseek.base_url, deepseek.auth) == ("https://api.deepseek.com/anthropic", "x-api-key")
    google = one({"id": "google", "dialect": "openai-chat", "api_key": "a"})
    assert google.base_url == "https://generativelanguage.googleapis.com/v1beta/openai"
    assert google.auth == "bearer"
    mine = one({"id": "deepseek", "dialect": "anthropic", "api_key": "a", "base_url": "https://x.test"})
    assert mine.base_url == "https://x.test"


def test_headers_of_the_catalogue_stay_beside_those_of_the_file() -> None:
    given = {"Editor-Version": "mine/1", "x-more": "1"}
    headers = one({"id": "github-copilot", "api_key": "a", "headers": given}).headers
    assert headers["copilot-integration-id"] == "vscode-chat"
    assert (headers["editor-version"], headers["x-more"]) == ("mine/1", "1")
    assert one({"id": "github-copilot", "api_key": "a"}).headers["editor-version"]


@pytest.mark.parametrize(
    ("table", "dialect", "base_url"),
    [
        ({}, "ollama", "http://127.0.0.1:11434"),
        ({"base_url": "http://127.0.0.1:9999"}, "ollama", "http://127.0.0.1:9999"),
        ({"base_url": "http://127.0.0.1:9999/v1"}, "openai-chat", "http://127.0.0.1:9999/v1"),
        ({"dialect": "openai-chat"}, "openai-chat", "http://127.0.0.1:11434/v1"),
        ({"dialect": "anthropic"}, "anthropic", "http://127.0.0.1:11434/v1"),
    ],
)
def test_ollama_is_asked_in_its_own_api_unless_the_file_names_another(
    table: Values, dialect: str, base_url: str
) -> None:
    provider = one({"id": "ollama", **table})
    assert (provider.dialect, provider.base_url) == (dialect, base_url)
    assert bool(provider.quirks.efforts_for("qwen3:8b")) is (dialect == "ollama")


def test_ollamas_own_api_has_no_version() -> None:
    _, problems = read({"id": "box", "dialect": "ollama", "base_url": "http://127.0.0.1:9999/v1"})
    assert problems == [
        'providers.box.base_url: Ollama\'s own API has no /v1; leave it out, or set dialect = "openai-chat"'
    ]
