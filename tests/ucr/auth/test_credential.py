import json

import pytest

from tests.world.signing import NOW, kept
from ucr.auth.credential import Credential, read_credentials, written
from ucr.auth.grant import Grant, Unusable
from ucr.secret import Secret

KEY = Credential("api_key", Secret("gsk_a-key-that-is-long"), saved_unix=NOW)


def test_what_is_written_is_read_as_it_was() -> None:
    credentials = {
        "groq": KEY,
        "github-copilot": kept(base_url="https://api.x.test"),
        "o": kept(expires_unix=None),
    }
    assert read_credentials(written(credentials)) == credentials


def test_a_renewal_keeps_the_refresh_token_where_no_other_is_given() -> None:
    before = kept(base_url="https://api.x.test")
    after = before.renewed(Grant(Secret("new"), life_s=60.0), NOW + 5)
    assert (after.access, after.refresh, after.expires_unix) == (Secret("new"), Secret("refresh-0"), NOW + 65)
    assert after.base_url == "https://api.x.test"
    assert before.renewed(Grant(Secret("new"), Secret("other")), NOW).refresh == Secret("other")


def test_a_credential_shows_no_secret() -> None:
    assert "gsk_" not in repr(KEY)
    assert [secret.reveal() for secret in kept().secrets] == ["access-0", "refresh-0"]


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ([], "no JSON object"),
        ({"version": 2, "credentials": {}}, "version that is not known: 2"),
        ({"version": 1, "credentials": [1]}, "no table"),
        ({"version": 1, "credentials": {"a": {"kind": "cookie", "access": "x"}}}, "kind that is not known"),
        ({"version": 1, "credentials": {"a": {"kind": "oauth"}}}, "access is missing"),
    ],
)
def test_what_is_no_file_of_credentials_says_why(tree: object, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        read_credentials(json.dumps(tree).encode())


def test_an_address_that_is_not_https_is_not_believed() -> None:
    fields = {"kind": "oauth", "access": "x", "base_url": "http://evil.test", "refresh": 1, "expires_unix": "x"}
    found = read_credentials(json.dumps({"version": 1, "credentials": {"a": fields}}).encode())
    assert found["a"] == Credential("oauth", Secret("x"))
