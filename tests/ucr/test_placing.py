from dataclasses import replace
from typing import Any

import pytest

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.catalogue import row
from ucr.config.providers import provider_of
from ucr.dialects.roles import Context, Outgoing
from ucr.placing import place_of
from ucr.quirks import Quirks
from ucr.secret import Secret

pytestmark = pytest.mark.usefixtures("both_lanes")

AZURE = provider_of(row("azure") or pytest.fail())
ROOT = "https://me.openai.azure.com"
DATED = "?api-version=2024-10-21"
ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


def outgoing(path: str, model: str = "dep") -> Outgoing:
    return Outgoing(path, (), b"{}", Context("azure", "m", model, False, Quirks()))


@pytest.mark.parametrize(
    ("base_url", "version", "path", "whole"),
    [
        (ROOT, None, "/chat/completions", "/openai/v1/chat/completions"),
        (ROOT + "/openai", None, "/responses", "/openai/v1/responses"),
        (ROOT + "/", "2024-10-21", "/chat/completions", f"/openai/deployments/dep/chat/completions{DATED}"),
        (ROOT + "/openai/", "2024-10-21", "/responses", f"/openai/responses{DATED}"),
        (ROOT + DATED, None, "/chat/completions", f"/openai/deployments/dep/chat/completions{DATED}"),
        (ROOT + "?a=1+2", "x&y", "/responses", "/openai/responses?a=1%202&api-version=x%26y"),
        (ROOT + "/openai/v1", "preview", "/responses", "/openai/v1/responses?api-version=preview"),
        (ROOT + "/openai/deployments/my", "v", "/chat/completions", None),
    ],
)
def test_azure_has_one_layout_with_a_version_and_one_without(
    base_url: str, version: str | None, path: str, whole: str | None
) -> None:
    quirks = AZURE.quirks.with_({"api_version": version})
    place = place_of(replace(AZURE, base_url=base_url, quirks=quirks))
    assert place is not None
    assert place(outgoing(path)) == (whole or "/openai/deployments/my/chat/completions?api-version=v")


def test_the_name_of_a_deployment_cannot_leave_its_place() -> None:
    place = place_of(replace(AZURE, base_url=ROOT, quirks=AZURE.quirks.with_({"api_version": "v"})))
    assert place is not None
    asked = place(outgoing("/chat/completions", "../a?b#c"))
    assert asked == "/openai/deployments/..%2Fa%3Fb%23c/chat/completions?api-version=v"


@pytest.mark.parametrize("base_url", [ROOT + "/openai/v1", ROOT + "/openai/deployments/my"])
def test_a_layout_that_is_written_out_is_left_as_it_is(base_url: str) -> None:
    assert place_of(replace(AZURE, base_url=base_url)) is None


def test_other_providers_have_the_paths_of_their_dialects() -> None:
    assert place_of(provider("up", "openai-chat")) is None


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        ("openai-chat", "/openai/deployments/up-model/chat/completions?api-version=2024-10-21"),
        ("openai-responses", "/openai/responses?api-version=2024-10-21"),
    ],
)
async def test_a_client_is_served_from_azure(dialect: str, path: str, autojump_clock: object) -> None:
    up = replace(
        provider("up", dialect, base_url="http://up.test", auth="api-key", api_keys=(Secret("azure-key"),)),
        quirks=AZURE.quirks.with_({"api_version": "2024-10-21"}),
    )
    reply = answers.chat_reply() if dialect == "openai-chat" else RESPONSE
    async with open_router(config_of(up), up=answers.says(200, reply)) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert (heard.status, heard.json()["content"]) == (200, [{"type": "text", "text": "hello"}])
    seen = world.upstreams["up"].requests[0]
    assert seen.path == path
    assert [value for name, value in seen.headers if name == "api-key"] == ["azure-key"]
    assert seen.json()["model"] == "up-model"  # type: ignore[index]


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "up-model",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "hello", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
}


@pytest.mark.parametrize(
    ("path", "model", "stream", "whole"),
    [
        ("/v1/messages", "us.anthropic.claude-x-v1:0", False, "/model/us.anthropic.claude-x-v1%3A0/invoke"),
        ("/v1/messages", "a", True, "/model/a/invoke-with-response-stream"),
        ("/v1/messages/count_tokens", "a", False, "/model/a/count-tokens"),
        ("/v1/messages", "arn:aws:x:profile/abc", False, "/model/arn%3Aaws%3Ax%3Aprofile%2Fabc/invoke"),
    ],
)
def test_a_model_of_bedrock_is_asked_by_its_name_or_its_profile(
    path: str, model: str, stream: bool, whole: str
) -> None:
    up = replace(provider("up", "anthropic"), quirks=Quirks(platform="bedrock"))
    place = place_of(up)
    assert place is not None
    assert place(Outgoing(path, (), b"{}", Context("up", "m", model, stream, Quirks()))) == whole
    assert place_of(replace(up, dialect="bedrock")) is None
