import json
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from tests.world import answers
from tests.world.signing import COPILOT, NOW, OAUTH, Servers, file_with, granted, kept, open_servers
from ucr.auth.credential import Credential
from ucr.auth.file import CredentialFile
from ucr.auth.grant import Token, Unusable
from ucr.auth.renewal import Renewal
from ucr.auth.server import NoAnswer
from ucr.auth.sign_in import SignIn
from ucr.secret import Secret
from ucr.stress.upstream import Answer, SeenRequest

ENDED = kept(expires_unix=NOW - 1, saved_unix=NOW - 3601)
EDITOR = {"editor-version": "vscode/1.104.0", "copilot-integration-id": "vscode-chat"}
EXCHANGED = {"token": "tid=a;exp=1", "expires_at": NOW + 1800, "endpoints": {"api": "https://api.x.test"}}


def renewal(servers: Servers, file: CredentialFile, how: SignIn = OAUTH) -> Renewal:
    return Renewal("up", how, file, servers.network, EDITOR, lambda: NOW)


async def test_a_token_that_holds_is_taken_from_the_file(tmp_path: Path) -> None:
    async with open_servers() as servers:
        made = renewal(servers, file_with(tmp_path, up=kept(expires_unix=NOW + 1000)))
        assert await made.token() == Token(Secret("access-0"), 1000.0)
        assert repr(made) == "<Renewal of 'up'>"
    assert servers.tokens.requests == []


async def test_a_token_without_an_end_is_looked_at_again_after_a_day(tmp_path: Path) -> None:
    async with open_servers() as servers:
        made = renewal(servers, file_with(tmp_path, up=kept(expires_unix=None)))
        assert await made.token() == Token(Secret("access-0"), 86_400.0)


@pytest.mark.parametrize("left_s", [-1.0, 0.0, 299.0])
async def test_a_token_that_ends_soon_is_renewed_and_what_came_is_kept(tmp_path: Path, left_s: float) -> None:
    file = file_with(tmp_path, up=kept(expires_unix=NOW + left_s, saved_unix=NOW - 3600 + left_s))
    async with open_servers(answers.says(200, granted())) as servers:
        assert await renewal(servers, file).token() == Token(Secret("access-1"), 3600.0)
    assert servers.forms == [
        {"grant_type": "refresh_token", "client_id": "an-id", "refresh_token": "refresh-0"}
    ]
    assert file.read()["up"] == kept(1)


async def test_a_token_that_was_rejected_is_renewed_though_it_should_hold(tmp_path: Path) -> None:
    file = file_with(tmp_path, up=kept())
    async with open_servers(answers.says(200, granted())) as servers:
        made = renewal(servers, file)
        assert (await made.token(Secret("another"))).secret == Secret("access-0")
        assert (await made.token(Secret("access-0"))).secret == Secret("access-1")


async def test_of_two_workers_one_renews_and_the_other_finds_it(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    file_with(tmp_path, up=ENDED)
    found: list[Token] = []

    async def take(servers: Servers) -> None:
        found.append(await renewal(servers, CredentialFile(tmp_path)).token())

    async with (
        open_servers(answers.says(200, granted()), answers.never()) as servers,
        trio.open_nursery() as nursery,
    ):
        for _ in range(2):
            nursery.start_soon(take, servers)
    assert [token.secret for token in found] == [Secret("access-1")] * 2
    assert len(servers.tokens.requests) == 1


@pytest.mark.parametrize("leaves_after_s", [0.5, 1.5])
async def test_what_is_given_is_kept_though_the_one_who_asked_has_left(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, leaves_after_s: float
) -> None:
    file = file_with(tmp_path, up=ENDED)

    async def slowly(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(1)
        await answers.says(200, granted())(request, answer)

    async with open_servers(slowly) as servers:
        with trio.move_on_after(leaves_after_s):
            await renewal(servers, file).token()
    assert file.read()["up"].refresh == Secret("refresh-1")


@pytest.mark.parametrize(
    ("credential", "answer", "words"),
    [
        (ENDED, answers.says(400, {"error": "invalid_grant"}), "not renewed: invalid_grant"),
        (ENDED, answers.says(200, {"error": "bad_refresh_token"}), "not renewed: bad_refresh_token"),
        (
            ENDED,
            answers.says(400, {"error": "no", "error_description": "of refresh-0!"}),
            r"no: of \[redacted\]!",
        ),
        (replace(ENDED, refresh=Secret("")), answers.never(), "its sign-in has ended"),
    ],
)
async def test_a_sign_in_that_is_over_says_why_and_shows_no_secret(
    credential: Credential, answer: answers.Handler, words: str, tmp_path: Path
) -> None:
    file = file_with(tmp_path, up=credential)
    async with open_servers(answer) as servers:
        with pytest.raises(Unusable, match=words) as caught:
            await renewal(servers, file).token()
    assert "refresh-0" not in str(caught.value)
    assert file.read()["up"] == credential


async def test_without_a_sign_in_there_is_no_token(tmp_path: Path) -> None:
    async with open_servers(answers.says(503, {})) as servers:
        with pytest.raises(Unusable, match="nobody has signed in"):
            await renewal(servers, CredentialFile(tmp_path)).token()
        with pytest.raises(NoAnswer, match="503"):
            await renewal(servers, file_with(tmp_path, up=ENDED)).token()


async def test_an_access_token_is_exchanged_with_the_headers_of_an_editor_and_not_kept(tmp_path: Path) -> None:
    file = file_with(tmp_path, up=kept(expires_unix=None))
    before = file.path.read_bytes()
    async with open_servers(exchange=(answers.says(200, EXCHANGED),)) as servers:
        found = await renewal(servers, file, COPILOT).token()
    (seen,) = servers.exchange.requests
    assert found == Token(Secret("tid=a;exp=1"), 1800.0)
    assert (seen.method, seen.path, seen.header("authorization")) == ("GET", "/v2/token", "token access-0")
    assert {name: seen.header(name) for name in EDITOR} == EDITOR
    assert file.path.read_bytes() == before


async def test_an_access_token_that_has_ended_is_renewed_before_it_is_exchanged(tmp_path: Path) -> None:
    file = file_with(tmp_path, up=ENDED)
    exchange = (answers.says(200, EXCHANGED),)
    async with open_servers(answers.says(200, granted()), exchange=exchange) as servers:
        await renewal(servers, file, COPILOT).token()
    assert servers.exchange.requests[0].header("authorization") == "token access-1"


async def test_a_refused_exchange_says_why_and_shows_no_secret(tmp_path: Path) -> None:
    refused = answers.says(403, {"message": "no subscription for access-0"})
    file = file_with(tmp_path, up=kept(expires_unix=None))
    async with open_servers(exchange=(refused,)) as servers:
        with pytest.raises(Unusable, match=r"refused with 403: no subscription for \[redacted\]") as caught:
            await renewal(servers, file, COPILOT).token()
    assert "access-0" not in json.dumps(str(caught.value))
