import json
from typing import Any

import pytest
from anthropic.types import ModelInfo
from openai.types import Model

from ucr.config.model import Client, Config, ModelTarget, Provider, Router
from ucr.errors import ApiError
from ucr.models import dialect_of, known_models, model_body, models_body, picker_models, providers_view
from ucr.routing import candidates
from ucr.secret import Secret

CONFIG = Config(
    providers=(
        Provider(
            "local", "openai-chat", "http://127.0.0.1:9101/v1", (Secret("local-secret"),), default_model="gpt-x"
        ),
        Provider("router", "openai-chat", "https://r.test/v1", models=("vendor/m", "gpt-x"), priority=-1),
        Provider("anthropic", "anthropic", "https://api.anthropic.com", models=("claude-opus-5-5",)),
        Provider("off", "openai-chat", "https://off.test/v1", models=("hidden",), enabled=False),
    ),
    models={"fast": (ModelTarget("local"),), "gone": (ModelTarget("off"),)},
    router=Router(default=(ModelTarget("local"),)),
)
CLAUDE_CODE = {"anthropic-version": "2023-06-01", "authorization": "Bearer k"}
ANTHROPIC_SDK = {"x-api-key": "k"}
OPENAI = {"authorization": "Bearer k"}


def listed(headers: dict[str, str], query: str = "limit=1000") -> dict[str, Any]:
    body: dict[str, Any] = json.loads(models_body(CONFIG, dialect_of("GET", "/v1/models", headers), query))
    return body


def test_aliases_come_first_then_qualified_then_bare_names() -> None:
    assert [entry.id for entry in known_models(CONFIG)] == [
        "fast",
        "local/gpt-x",
        "anthropic/claude-opus-5-5",
        "router/vendor/m",
        "router/gpt-x",
        "gpt-x",
        "claude-opus-5-5",
        "vendor/m",
    ]


def test_a_bare_name_belongs_to_the_provider_that_would_serve_it() -> None:
    owner = next(entry.owner for entry in known_models(CONFIG) if entry.id == "gpt-x")
    assert owner == candidates(CONFIG, "gpt-x")[0].provider.id == "local"


def test_every_listed_name_is_routed_to_its_owner() -> None:
    for entry in picker_models(CONFIG):
        assert candidates(CONFIG, entry.id)[0].provider.id == entry.owner


def test_the_picker_of_claude_code_finds_every_alias_and_every_provider() -> None:
    ids = [entry["id"] for entry in listed(CLAUDE_CODE)["data"]]
    picked = [name for name in ids if name.startswith(("claude", "anthropic"))]
    assert picked == [
        "anthropic/claude-opus-5-5",
        "claude-opus-5-5",
        "claude-ucr/fast",
        "claude-ucr/local/gpt-x",
        "claude-ucr/router/vendor/m",
        "claude-ucr/router/gpt-x",
    ]


@pytest.mark.parametrize("headers", [CLAUDE_CODE, ANTHROPIC_SDK])
def test_anthropic_clients_get_their_shape(headers: dict[str, str]) -> None:
    body = listed(headers)
    assert body["has_more"] is False
    assert (body["first_id"], body["last_id"]) == (body["data"][0]["id"], body["data"][-1]["id"])
    assert body["data"][0] == {
        "type": "model",
        "id": "fast",
        "display_name": "fast (local)",
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
    }
    for entry in body["data"]:
        ModelInfo.model_validate(entry)


def test_other_clients_get_the_openai_shape() -> None:
    body = listed(OPENAI)
    assert body["object"] == "list"
    assert body["data"][0] == {"id": "fast", "object": "model", "created": 0, "owned_by": "local"}
    assert len(body["data"]) == len(known_models(CONFIG))
    for entry in body["data"]:
        Model.model_validate(entry)


def test_pages_follow_one_another_without_gap_or_repeat() -> None:
    whole = [entry["id"] for entry in listed(CLAUDE_CODE)["data"]]
    seen: list[str] = []
    query = "limit=5"
    while True:
        page = listed(CLAUDE_CODE, query)
        seen += [entry["id"] for entry in page["data"]]
        if not page["has_more"]:
            break
        query = f"limit=5&after_id={page['last_id']}"
    assert seen == whole


def test_a_page_before_a_name_ends_next_to_it() -> None:
    whole = [entry["id"] for entry in listed(CLAUDE_CODE)["data"]]
    page = listed(CLAUDE_CODE, f"limit=2&before_id={whole[3]}")
    assert [entry["id"] for entry in page["data"]] == whole[1:3]
    assert page["has_more"] is True


def test_unknown_queries_are_ignored() -> None:
    assert listed(CLAUDE_CODE, "beta=true&x=%ff")["data"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=ten", "limit=-1", "limit=١", "after_id=nobody"]
)
def test_a_page_that_cannot_be_had_is_a_bad_request(query: str) -> None:
    with pytest.raises(ApiError) as caught:
        models_body(CONFIG, "anthropic", query)
    assert caught.value.status == 400


def test_an_empty_list_has_no_first_and_no_last() -> None:
    body = json.loads(models_body(Config(), "anthropic", ""))
    assert body == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize("model", ["fast", "local/gpt-x", "vendor/m", "claude-ucr/fast"])
def test_one_model_is_found_in_both_shapes(model: str) -> None:
    assert json.loads(model_body(CONFIG, "anthropic", model))["id"] == model
    assert json.loads(model_body(CONFIG, "openai-chat", model)) == {
        "id": model,
        "object": "model",
        "created": 0,
        "owned_by": "router" if model == "vendor/m" else "local",
    }


def test_an_unknown_claude_is_found_while_a_default_exists() -> None:
    assert json.loads(model_body(CONFIG, "anthropic", "claude-sonnet-5"))["id"] == "claude-sonnet-5"
    with pytest.raises(ApiError) as caught:
        model_body(Config(), "anthropic", "claude-sonnet-5")
    assert caught.value.status == 404


@pytest.mark.parametrize("model", ["nobody", "hidden", "gone", ""])
def test_any_other_unknown_model_is_not_found(model: str) -> None:
    with pytest.raises(ApiError) as caught:
        model_body(CONFIG, "openai-chat", model)
    assert (caught.value.status, caught.value.type) == (404, "not_found_error")


def test_providers_are_shown_with_their_status_and_without_their_keys() -> None:
    view = providers_view(CONFIG, {"local": {"in_flight": 2}})
    assert view["data"][0] == {
        "id": "local",
        "dialect": "openai-chat",
        "base_url": "http://127.0.0.1:9101/v1",
        "enabled": True,
        "priority": 0,
        "has_key": True,
        "default_model": "gpt-x",
        "models": [],
        "cards": [],
        "status": {"in_flight": 2},
    }
    assert view["data"][3]["enabled"] is False
    assert "local-secret" not in json.dumps(view)


def test_a_client_sees_the_models_that_it_may_ask_for_and_no_others() -> None:
    caller = Client("a", "", models=("fast", "claude-*"))
    seen = json.loads(models_body(CONFIG, "openai-chat", "", caller))
    assert [entry["id"] for entry in seen["data"]] == ["fast", "claude-opus-5-5"]
    picked = json.loads(models_body(CONFIG, "anthropic", "limit=1000", caller))
    assert [entry["id"] for entry in picked["data"]] == ["fast", "claude-opus-5-5", "claude-ucr/fast"]
    assert json.loads(model_body(CONFIG, "openai-chat", "fast", caller))["id"] == "fast"
    with pytest.raises(ApiError) as caught:
        model_body(CONFIG, "openai-chat", "gpt-x", caller)
    assert caught.value.status == 404


GOOGLE = {"x-goog-api-key": "any"}


def test_googles_clients_get_their_shape_and_their_pages() -> None:
    names: list[str] = []
    query = "pageSize=3"
    while query:
        page = listed(GOOGLE, query)
        names += [entry["name"] for entry in page["models"]]
        query = f"pageSize=3&pageToken={page['nextPageToken']}" if "nextPageToken" in page else ""
    assert names == [f"models/{entry.id}" for entry in known_models(CONFIG)]
    assert json.loads(model_body(CONFIG, "gemini", "gpt-x")) == {
        "name": "models/gpt-x",
        "displayName": "gpt-x (local)",
        "description": "served by local",
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }


@pytest.mark.parametrize("query", ["pageSize=0", "pageSize=x", "pageToken=-1", "pageToken=x"])
def test_a_page_of_googles_that_cannot_be_had_is_refused(query: str) -> None:
    with pytest.raises(ApiError, match="page"):
        listed(GOOGLE, query)


@pytest.mark.parametrize(
    ("method", "path", "headers", "dialect"),
    [
        ("POST", "/v1/models/m:generateContent", {}, "gemini"),
        ("GET", "/v1/models", {"x-goog-api-client": "google-genai-sdk"}, "gemini"),
        ("GET", "/v1/models/a:b", {}, "openai-chat"),
        ("GET", "/v1/models", {"x-api-key": "k"}, "anthropic"),
    ],
)
def test_a_dialect_is_known_by_what_only_its_clients_send(
    method: str, path: str, headers: dict[str, str], dialect: str
) -> None:
    assert dialect_of(method, path, headers) == dialect
