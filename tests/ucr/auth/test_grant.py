import json
from typing import Any

import pytest

from tests.world.signing import DEVICE, OAUTH, granted
from ucr.auth import grant
from ucr.auth.grant import Grant, Pending, Unusable
from ucr.secret import Secret


def raw(fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_the_forms_are_those_of_the_standard() -> None:
    code = grant.read_device(raw(DEVICE))
    assert grant.device_form(OAUTH) == {"client_id": "an-id", "scope": "read"}
    assert grant.poll_form(OAUTH, code) == {
        "client_id": "an-id",
        "device_code": "the-device-code",
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
    }
    assert grant.refresh_form(OAUTH, Secret("r")) == {
        "grant_type": "refresh_token",
        "client_id": "an-id",
        "refresh_token": "r",
    }


def test_a_device_flow_without_times_has_those_of_the_standard() -> None:
    told = {name: value for name, value in DEVICE.items() if name not in ("interval", "expires_in")}
    code = grant.read_device(raw(told))
    assert (code.interval_s, code.life_s) == (5.0, 1800.0)
    code = grant.read_device(raw({**DEVICE, "interval": 10_000, "expires_in": 1e9}))
    assert (code.interval_s, code.life_s) == (60.0, 1800.0)


@pytest.mark.parametrize(
    "change",
    [
        {"user_code": "\x1b[2J"},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "https://a.test/\u202e"},
        {"device_code": ""},
    ],
)
def test_a_code_that_would_steer_the_terminal_is_not_shown(change: dict[str, Any]) -> None:
    with pytest.raises(Unusable):
        grant.read_device(raw({**DEVICE, **change}))


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (granted(), Grant(Secret("access-1"), Secret("refresh-1"), 3600.0)),
        ({"access_token": "gho_x", "scope": ""}, Grant(Secret("gho_x"), Secret(""), None)),
        ({"error": "authorization_pending"}, Pending()),
        ({"error": "slow_down", "interval": 12}, Pending(is_too_fast=True, interval_s=12.0)),
        ({"error": "slow_down"}, Pending(is_too_fast=True)),
    ],
)
def test_what_is_told_of_a_user_who_decides(told: object, found: Grant | Pending) -> None:
    assert grant.read_poll(raw(told)) == found


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"error": "access_denied"}, "refused"),
        ({"error": "expired_token"}, "not typed in time"),
        (
            {"error": "incorrect_client_credentials", "error_description": "no"},
            "incorrect_client_credentials: no",
        ),
        ({}, "access_token is missing"),
        ([], "no JSON object"),
        ({"access_token": "a b"}, "cannot be sent in a header"),
    ],
)
def test_a_sign_in_that_failed_says_why(told: object, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        grant.read_poll(raw(told))


def test_a_renewal_that_was_refused_says_why() -> None:
    with pytest.raises(Unusable, match="invalid_grant"):
        grant.read_grant(raw({"error": "invalid_grant"}))
    assert grant.read_grant(raw(granted(2))).refresh == Secret("refresh-2")


@pytest.mark.parametrize(
    ("told", "life_s"),
    [
        ({"refresh_in": 1500, "expires_at": 10**9}, 1800.0),
        ({"expires_at": 2_000}, 1000.0),
        ({"expires_at": 5}, 0.0),
        ({"expires_at": "soon", "refresh_in": True}, 300.0),
    ],
)
def test_the_life_of_an_exchanged_token_is_what_the_server_says(told: dict[str, Any], life_s: float) -> None:
    assert grant.read_exchange(raw({"token": "tid=1;exp=2", **told}), 1000.0).token.life_s == life_s


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("https://api.business.githubcopilot.com", True),
        ("http://api.business.githubcopilot.com", False),
        ("https://user@evil.test", False),
        ("https://a.test/?q=1", False),
        ("https://[", False),
        (7, False),
    ],
)
def test_only_a_plain_https_address_is_taken_from_an_exchange(url: object, is_taken: bool) -> None:
    told = {"token": "t", "endpoints": {"api": url}}
    assert (grant.read_exchange(raw(told), 0.0).base_url is not None) is is_taken


def test_words_of_a_refusal_are_found_in_every_shape() -> None:
    assert grant.refusal_words(raw({"message": "Bad credentials"})) == "Bad credentials"
    assert grant.refusal_words(b"<html>") == "without a reason"
    assert grant.refusal_words(raw({"error": "a\x1b[2Jb\r\n"})) == "a [2Jb  "


def test_of_a_secret_that_a_refusal_repeats_no_half_is_left_where_it_is_cut() -> None:
    secret = Secret("s3cret" * 40)
    words = grant.refusal_words(raw({"message": f"who gave you {secret.reveal()} of mine"}), secret)
    assert words == "who gave you [redacted] of mine"


def test_a_token_without_a_life_is_soon_replaced() -> None:
    assert grant.read_token(raw({"access_token": "t"})).life_s == 300.0
