"""A provider with credentials, asked through the whole router, and a scripted server of tokens."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trio
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.world import answers, google, signing
from tests.world.check_anthropic_stream import check
from tests.world.router import World, config_of, open_router, provider
from ucr.auth.file import CredentialFile
from ucr.config.model import Config, Provider
from ucr.quirks import Quirks
from ucr.stress.upstream import Answer, SeenRequest
from ucr.tokens import problem_of

pytestmark = pytest.mark.usefixtures("both_lanes")

ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
PLACE = "/v1/projects/my-project/locations/europe-west1/publishers"


def hosted(dialect: str, credentials: str, model: str) -> Provider:
    quirks = Quirks(platform="vertex", project="my-project", location="europe-west1")
    return provider("up", dialect, credentials=credentials, quirks=quirks, default_model=model)


def gemini(folder: Path, fields: object) -> Config:
    return config_of(hosted("gemini", google.written(folder, fields), "gemini-x"))


def keys(world: World) -> list[str | None]:
    return [seen.header("authorization") for seen in world.upstreams["up"].requests]


async def test_a_service_account_signs_and_its_token_is_sent(tmp_path: Path, autojump_clock: object) -> None:
    up, tokens = answers.says(200, answers.gemini_reply()), answers.says(200, google.given())
    async with open_router(gemini(tmp_path, google.account()), up=up, tokens=tokens) as world:
        heard = [await world.ask("/v1/messages", ASK) for _ in range(2)]
    assert [one.json()["content"] for one in heard] == [[{"type": "text", "text": "hello"}]] * 2
    assert keys(world) == [f"Bearer {google.TOKEN}"] * 2
    assert world.upstreams["up"].requests[0].path == f"{PLACE}/google/models/gemini-x:generateContent"
    (asked,) = world.upstreams["tokens"].requests
    claim, _, signature = parse_qs(asked.body.decode())["assertion"][0].rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    google.private_key().public_key().verify(raw, claim.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert google.TOKEN not in json.dumps(world.lines)


async def test_requests_that_come_together_share_one_token_and_it_is_replaced_before_its_end(
    tmp_path: Path, autojump_clock: object
) -> None:
    up = answers.says(200, answers.gemini_reply())
    tokens = tuple(answers.says(200, google.given(f"ya29.number-{n}")) for n in (1, 2))
    async with open_router(gemini(tmp_path, google.USER), up=up, tokens=tokens) as world:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(world.ask, "/v1/messages", ASK)
        await trio.sleep(3200)
        await world.ask("/v1/messages", ASK)
        await trio.sleep(200)
        await world.ask("/v1/messages", ASK)
    assert keys(world) == ["Bearer ya29.number-1"] * 4 + ["Bearer ya29.number-2"]
    form = parse_qs(world.upstreams["tokens"].requests[0].body.decode())
    assert form["refresh_token"] == ["a-refresh-token"]


@pytest.mark.parametrize(
    ("status", "body", "seen", "words"),
    [
        (400, {"error": "invalid_grant"}, 403, "invalid_grant (check providers.up.credentials)"),
        (200, {"token": "x"}, 403, "access_token is missing"),
        (503, {}, 500, "the server of its tokens answered 503"),
    ],
)
async def test_without_a_token_nobody_is_asked(
    status: int, body: object, seen: int, words: str, tmp_path: Path, autojump_clock: object
) -> None:
    up, tokens = answers.never(), answers.says(status, body)
    async with open_router(gemini(tmp_path, google.USER), up=up, tokens=tokens) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert (heard.status, world.upstreams["up"].requests) == (seen, [])
    assert words in heard.json()["error"]["message"]


async def test_credentials_that_are_gone_are_told_without_the_place(
    tmp_path: Path, autojump_clock: object
) -> None:
    config = config_of(hosted("gemini", str(tmp_path / "gone"), "gemini-x"))
    async with open_router(config, up=answers.never()) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert heard.status == 403
    assert "cannot be read" in heard.json()["error"]["message"]
    assert str(tmp_path) not in heard.json()["error"]["message"]


async def test_a_server_of_tokens_that_is_not_there_costs_no_more_than_this_provider(
    tmp_path: Path, autojump_clock: object
) -> None:
    first = hosted("gemini", google.written(tmp_path, google.USER), "gemini-x")
    handler = answers.says(200, answers.chat_reply())
    config = config_of(first, provider("second", "openai-chat"))
    async with open_router(config, up=answers.never(), second=handler) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert (heard.status, heard.headers["x-ucr-provider"]) == (200, "second")


@pytest.mark.parametrize("client", ["/v1/messages", "/v1/chat/completions"])
async def test_claude_on_vertex_streams(client: str, tmp_path: Path, autojump_clock: object) -> None:
    config = config_of(hosted("anthropic", google.written(tmp_path, google.USER), "claude-opus-4-5@20251101"))
    up, tokens = answers.streams(answers.anthropic_text("Hel", "lo")), answers.says(200, google.given())
    headers = {"anthropic-beta": "a-beta"}
    async with open_router(config, up=up, tokens=tokens) as world:
        heard = await world.ask(client, {**ASK, "stream": True}, headers=headers)
    seen = world.upstreams["up"].requests[0]
    body: Any = seen.json()
    assert seen.path == f"{PLACE}/anthropic/models/claude-opus-4-5@20251101:streamRawPredict"
    assert (body["anthropic_version"], body["stream"], "model" in body) == ("vertex-2023-10-16", True, False)
    if client == "/v1/messages":
        assert check([(event["type"], event) for event in heard.events()]) == []
        assert seen.header("anthropic-beta") == "a-beta"


async def test_claude_on_vertex_counts(tmp_path: Path, autojump_clock: object) -> None:
    config = config_of(hosted("anthropic", google.written(tmp_path, google.USER), "claude-x"))
    up, tokens = answers.says(200, {"input_tokens": 7}), answers.says(200, google.given())
    async with open_router(config, up=up, tokens=tokens) as world:
        heard = await world.ask("/v1/messages/count_tokens", ASK)
    seen = world.upstreams["up"].requests[0]
    body: Any = seen.json()
    assert heard.json() == {"input_tokens": 7}
    assert (seen.path, body["model"]) == (f"{PLACE}/anthropic/models/count-tokens:rawPredict", "claude-x")


async def test_gemini_on_vertex_counts_in_its_own_words(tmp_path: Path, autojump_clock: object) -> None:
    up, tokens = answers.says(200, {"totalTokens": 9}), answers.says(200, google.given())
    async with open_router(gemini(tmp_path, google.USER), up=up, tokens=tokens) as world:
        heard = await world.ask("/v1/messages/count_tokens", ASK)
    seen = world.upstreams["up"].requests[0]
    body: Any = seen.json()
    assert (heard.json(), "contents" in body) == ({"input_tokens": 9}, True)
    assert seen.path == f"{PLACE}/google/models/gemini-x:countTokens"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (google.USER, "not https://"),
        (google.account(private_key="x", token_uri="https://t.test"), "no key of RSA"),
        ({}, "neither"),
        ({"x": "y" * 70_000}, "larger than 64 KiB"),
    ],
)
def test_a_configuration_with_bad_credentials_says_why(fields: object, words: str, tmp_path: Path) -> None:
    problem, secrets = problem_of("ucr.toml", "providers.up.credentials", google.written(tmp_path, fields))
    assert problem is not None
    assert words in problem.remedy
    assert secrets == ()


def test_the_secrets_of_good_credentials_are_known_to_the_log(tmp_path: Path) -> None:
    fields = google.USER | {"token_uri": "https://t.test/token"}
    problem, secrets = problem_of("ucr.toml", "k", google.written(tmp_path, fields))
    assert problem is None
    assert [secret.reveal() for secret in secrets] == ["a-client-secret", "a-refresh-token"]


COPILOT_ANSWER = {"token": "tid=first;exp=1", "refresh_in": 1500}
EDITOR = {"editor-version": "vscode/1.104.0"}


def copilot(folder: Path, **changes: Any) -> tuple[Config, CredentialFile]:
    """Return a configuration with a provider at which somebody has signed in, and what that left."""
    fields = {"is_signed_in": True, "sign_in": signing.COPILOT, "headers": EDITOR, **changes}
    one = provider("up", "openai-chat", quirks=Quirks(initiator=True), **fields)
    return config_of(one), signing.file_with(folder, up=signing.kept(expires_unix=None))


async def test_who_has_signed_in_is_asked_with_a_token_that_is_replaced_before_its_end(
    tmp_path: Path, autojump_clock: object
) -> None:
    config, file = copilot(tmp_path)
    given = tuple(answers.says(200, {**COPILOT_ANSWER, "token": f"tid={n}"}) for n in (1, 2))
    up = answers.says(200, answers.chat_reply())
    async with open_router(config, signed_in=file, up=up, exchange=given) as world:
        for pause_s in (0, 1490, 20):
            await trio.sleep(pause_s)
            assert (await world.ask("/v1/messages", ASK)).status == 200
        exchanges = world.upstreams["exchange"].requests
    assert keys(world) == ["Bearer tid=1", "Bearer tid=1", "Bearer tid=2"]
    assert [seen.header("authorization") for seen in exchanges] == ["token access-0"] * 2
    assert exchanges[0].header("editor-version") == EDITOR["editor-version"]
    seen = world.upstreams["up"].requests[0]
    assert (seen.header("x-initiator"), seen.header("editor-version")) == ("user", EDITOR["editor-version"])
    assert "access-0" not in json.dumps(world.lines)


@pytest.mark.parametrize("status", [pytest.param(401, id="edge-183")])
async def test_a_token_that_is_turned_away_is_replaced_once_and_the_request_served(
    status: int, tmp_path: Path, autojump_clock: object
) -> None:
    config, file = copilot(tmp_path)
    given = tuple(answers.says(200, {**COPILOT_ANSWER, "token": f"tid={n}"}) for n in (1, 2))
    up = (answers.says(status, {"error": {"message": "expired"}}), answers.says(200, answers.chat_reply()))
    async with open_router(config, signed_in=file, up=up, exchange=given) as world:
        heard = await world.ask("/v1/messages", ASK)
        again = await world.ask("/v1/messages", ASK)
    assert (heard.status, again.status) == (200, 200)
    assert heard.headers["x-ucr-attempts"] == "2"
    assert keys(world) == ["Bearer tid=1", "Bearer tid=2", "Bearer tid=2"]
    assert len(world.upstreams["exchange"].requests) == 2


async def test_requests_that_are_turned_away_together_have_their_token_replaced_once(
    tmp_path: Path, autojump_clock: object
) -> None:
    config, file = copilot(tmp_path)
    given = tuple(answers.says(200, {**COPILOT_ANSWER, "token": f"tid={n}"}) for n in (1, 2, 3))

    async def up(seen: SeenRequest, answer: Answer) -> None:
        await trio.sleep(1)
        is_first = seen.header("authorization") == "Bearer tid=1"
        await answers.says(401 if is_first else 200, {} if is_first else answers.chat_reply())(seen, answer)

    async with (
        open_router(config, signed_in=file, up=up, exchange=given) as world,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            nursery.start_soon(world.ask, "/v1/messages", ASK)
    assert sorted(filter(None, keys(world))) == ["Bearer tid=1"] * 3 + ["Bearer tid=2"] * 3
    assert [line["status"] for line in world.finished] == [200] * 3


async def test_a_provider_that_turns_every_token_away_is_asked_twice_and_shows_none(
    tmp_path: Path, autojump_clock: object
) -> None:
    config, file = copilot(tmp_path)
    given = tuple(answers.says(200, {**COPILOT_ANSWER, "token": f"tid=number-{n}"}) for n in (1, 2))
    refusal = answers.says(401, {"error": {"message": "no: tid=number-1, tid=number-2"}})
    async with open_router(config, signed_in=file, up=refusal, exchange=given) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert heard.status == 403
    assert len(world.upstreams["up"].requests) == 2
    assert "tid=number-2" not in heard.json()["error"]["message"]


async def test_where_tokens_are_not_exchanged_a_refused_one_is_renewed_and_the_new_one_kept(
    tmp_path: Path, autojump_clock: object
) -> None:
    now = signing.NOW
    config, _ = copilot(tmp_path, sign_in=signing.OAUTH)
    file = signing.file_with(tmp_path, up=signing.kept())
    up = (answers.says(401, {}), answers.says(200, answers.chat_reply()))
    tokens = answers.says(200, signing.granted())
    async with open_router(config, signed_in=file, unix_time=lambda: now, up=up, tokens=tokens) as world:
        assert (await world.ask("/v1/messages", ASK)).status == 200
    assert keys(world) == ["Bearer access-0", "Bearer access-1"]
    assert file.read()["up"] == signing.kept(1)


async def test_without_a_credential_the_client_is_told_the_command(
    tmp_path: Path, autojump_clock: object
) -> None:
    config, file = copilot(tmp_path)
    file.change("up", None)
    async with open_router(config, signed_in=file, up=answers.never()) as world:
        heard = await world.ask("/v1/messages", ASK)
        assert heard.status == 403
        assert "nobody has signed in (run: ucr-trio auth login up)" in heard.json()["error"]["message"]
        assert world.upstreams["up"].requests == []
