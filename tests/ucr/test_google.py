import base64
import json
from typing import Any

import pytest

from tests.world.google import EMAIL, TOKEN, URL, USER, account, given
from ucr.auth.grant import DEFAULT_LIFE_S, Unusable, read_token, refusal_words
from ucr.google import TOKEN_URL, ServiceAccount, User, read_credentials


def read(fields: object) -> Any:
    return read_credentials(json.dumps(fields).encode())


def decoded(part: bytes) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    return value


def test_a_service_account_claims_who_it_is_for_an_hour() -> None:
    found = read(account())
    assert isinstance(found, ServiceAccount)
    header, said = map(decoded, found.claim(1000.9).split(b"."))
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert (said["iss"], said["aud"], said["iat"], said["exp"]) == (EMAIL, URL, 1000, 4600)
    assert said["scope"] == "https://www.googleapis.com/auth/cloud-platform"


def test_the_signature_follows_the_claim() -> None:
    form = read(account()).form(b"a.b", b"\xff\xfe")
    assert form == {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.__4"}


def test_a_user_refreshes() -> None:
    found = read(USER | {"token_uri": None})
    assert isinstance(found, User)
    assert found.token_url == TOKEN_URL
    assert found.form()["refresh_token"] == "a-refresh-token"


@pytest.mark.parametrize("fields", [USER, account()])
def test_no_secret_is_shown(fields: dict[str, Any]) -> None:
    found = read(fields)
    assert all(secret.reveal() not in repr(found) for secret in found.secrets)
    assert found.secrets


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([], "no JSON object"),
        ({}, "neither"),
        ({"type": "external_account"}, "neither"),
        (USER | {"token_uri": 1}, "token_uri is no text"),
        (USER | {"refresh_token": ""}, "refresh_token is missing"),
        (account(private_key=None), "private_key is missing"),
    ],
)
def test_what_is_no_file_of_credentials_is_told(fields: object, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        read(fields)


def test_a_token_holds_as_long_as_its_server_says() -> None:
    token = read_token(json.dumps(given()).encode())
    assert (token.secret.reveal(), token.life_s) == (TOKEN, 3599)


@pytest.mark.parametrize(("life", "seconds"), [("x", DEFAULT_LIFE_S), (True, DEFAULT_LIFE_S), (-1, 0.0)])
def test_a_life_that_is_no_number_is_short(life: object, seconds: float) -> None:
    assert read_token(json.dumps(given(life_s=life)).encode()).life_s == seconds


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b'{"access_token":"a b"}', b'{"access_token":"a\\nb"}'])
def test_what_is_no_token_is_not_sent(data: bytes) -> None:
    with pytest.raises(Unusable):
        read_token(data)


def test_a_refusal_has_the_words_of_the_server() -> None:
    said = {"error": "invalid_grant", "error_description": "Bad Request"}
    assert refusal_words(json.dumps(said).encode()) == "invalid_grant: Bad Request"
    assert refusal_words(b"<html>") == "without a reason"
