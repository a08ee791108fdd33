from dataclasses import replace
from pathlib import Path

import pytest

from tests.world import answers
from tests.world.router import provider
from tests.world.signing import COPILOT, DEVICE, NOW, OAUTH, Servers, file_with, granted, kept, open_servers
from ucr.auth.credential import Credential
from ucr.auth.file import CredentialFile
from ucr.auth.grant import DeviceCode, Unusable
from ucr.auth.login import Login
from ucr.auth.sign_in import SignIn
from ucr.secret import Secret

EXCHANGED = {"token": "tid=a", "refresh_in": 1500, "endpoints": {"api": "https://api.business.test"}}
BEGUN = answers.says(200, DEVICE)
TYPED = replace(OAUTH, device_url=None)


def login(servers: Servers, file: CredentialFile, how: SignIn | None) -> Login:
    one = provider("up", "openai-chat", sign_in=how, headers={"editor-version": "e"})
    return Login(one, file, servers.network, lambda: NOW)


def nothing(_what: str) -> str:
    raise AssertionError("nothing is to be typed")


def ignore(_code: DeviceCode) -> None:
    pass


@pytest.mark.parametrize("how", [None, OAUTH])
async def test_a_key_is_typed_and_kept(tmp_path: Path, how: SignIn | None) -> None:
    asked: list[str] = []

    def typed(what: str) -> str:
        asked.append(what)
        return " sk-typed \n"

    file = CredentialFile(tmp_path)
    async with open_servers() as servers:
        await login(servers, file, how).run(typed, ignore, with_key=how is not None)
    assert asked == ["API key of up"]
    assert file.read() == {"up": Credential("api_key", Secret("sk-typed"), saved_unix=NOW)}


@pytest.mark.parametrize(("typed", "words"), [("", "nothing was typed"), ("a b", "printable ASCII")])
async def test_what_is_no_key_is_not_kept(tmp_path: Path, typed: str, words: str) -> None:
    file = file_with(tmp_path, up=kept())
    async with open_servers() as servers:
        with pytest.raises(Unusable, match=words):
            await login(servers, file, None).run(lambda _what: typed, ignore)
    assert file.read() == {"up": kept()}


async def test_a_device_flow_ends_in_a_credential(tmp_path: Path, autojump_clock: object) -> None:
    file = CredentialFile(tmp_path)
    async with open_servers(BEGUN, answers.says(200, granted())) as servers:
        await login(servers, file, OAUTH).run(nothing, ignore)
    assert file.read() == {"up": kept(1)}


async def test_where_tokens_are_exchanged_that_is_tried_at_once_and_the_users_own_address_kept(
    tmp_path: Path, autojump_clock: object
) -> None:
    file = CredentialFile(tmp_path)
    github = answers.says(200, {"access_token": "gho_x", "scope": "read:user"})
    async with open_servers(BEGUN, github, exchange=(answers.says(200, EXCHANGED),)) as servers:
        await login(servers, file, COPILOT).run(nothing, ignore)
    assert servers.exchange.requests[0].header("editor-version") == "e"
    (found,) = file.read().values()
    assert (found.access, found.refresh, found.expires_unix) == (Secret("gho_x"), Secret(""), None)
    assert found.base_url == "https://api.business.test"
    assert "tid=a" not in file.path.read_text()


async def test_who_may_not_use_the_provider_is_told_so_and_nothing_is_kept(
    tmp_path: Path, autojump_clock: object
) -> None:
    file = CredentialFile(tmp_path)
    refused = answers.says(404, {"message": "no Copilot for you"})
    async with open_servers(BEGUN, answers.says(200, granted()), exchange=(refused,)) as servers:
        with pytest.raises(Unusable, match="404: no Copilot for you"):
            await login(servers, file, COPILOT).run(nothing, ignore)
    assert file.read() == {}


async def test_a_refresh_token_is_typed_where_there_is_no_device_flow(tmp_path: Path) -> None:
    file = CredentialFile(tmp_path)
    async with open_servers(answers.says(200, {"access_token": "a", "expires_in": 60})) as servers:
        await login(servers, file, TYPED).run(lambda _what: "a-refresh-token", ignore)
    assert servers.forms[0]["refresh_token"] == "a-refresh-token"
    (found,) = file.read().values()
    assert (found.access, found.refresh, found.expires_unix) == (
        Secret("a"),
        Secret("a-refresh-token"),
        NOW + 60,
    )


async def test_a_refresh_token_that_is_refused_leaves_what_was_kept(tmp_path: Path) -> None:
    file = file_with(tmp_path, up=kept())
    async with open_servers(answers.says(400, {"error": "invalid_grant"})) as servers:
        with pytest.raises(Unusable, match="invalid_grant"):
            await login(servers, file, TYPED).run(lambda _what: "wrong", ignore)
    assert file.read() == {"up": kept()}


async def test_what_can_be_renewed_is_renewed_now(tmp_path: Path) -> None:
    file = file_with(tmp_path, up=kept())
    async with open_servers(answers.says(200, granted())) as servers:
        assert await login(servers, file, OAUTH).renew() == "renewed"
    assert file.read() == {"up": kept(1)}


async def test_what_is_not_renewed_says_so(tmp_path: Path) -> None:
    file = CredentialFile(tmp_path)
    async with open_servers(exchange=(answers.says(200, EXCHANGED),)) as servers:
        with pytest.raises(Unusable, match="nobody has signed in"):
            await login(servers, file, OAUTH).renew()
        file.change("up", Credential("api_key", Secret("k")))
        assert "API key" in await login(servers, file, OAUTH).renew()
        file.change("up", Credential("oauth", Secret("gho_x")))
        assert await login(servers, file, COPILOT).renew() == "exchanged its token"
        assert "without an end" in await login(servers, file, OAUTH).renew()
        file.change("up", kept())
        with pytest.raises(Unusable, match="not configured any more"):
            await login(servers, file, None).renew()
