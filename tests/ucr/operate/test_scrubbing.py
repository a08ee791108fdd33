"""What a report leaves out."""

import pytest

from ucr.operate.scrubbing import Scrubber, secrets_of_text, secrets_of_tree, secrets_of_variables
from ucr.redaction import MASK

PLACES = (
    ("/home/ann.smith", "~"),
    ("ann.smith", "[user]"),
    ("ann-laptop", "[host]"),
    ("root", "[user]"),
    ("", "x"),
)


def scrubber(*secrets: str) -> Scrubber:
    return Scrubber(secrets, PLACES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the key abc-def-ghi is wrong", f"the key {MASK} is wrong"),
        ("/home/ann.smith/ucr.toml by ann.smith at ann-laptop.", "~/ucr.toml by [user] at [host]."),
        ("planning on ann.smithson", "planning on ann.smithson"),
        ("root of the tree", "root of the tree"),
        ("x-api-key: opensesame", f"x-api-key: {MASK}"),
        ('{"password": "hunter22", "n": 1}', f'{{"password": "{MASK}", "n": 1}}'),
        ("https://h/p?sig=aa11&x=1&my_secret=q", f"https://h/p?sig={MASK}&x=1&my_secret={MASK}"),
        ("https://me:pw@h/", f"https://{MASK}h/"),
        ('"input_tokens":12345678,"token":null', '"input_tokens":12345678,"token":null'),
        ("ucr_tokens_total 5", "ucr_tokens_total 5"),
    ],
)
def test_secrets_and_names_go_and_the_rest_stays(text: str, expected: str) -> None:
    assert scrubber("abc-def-ghi", "tok").text(text) == expected


def test_what_stands_under_the_name_of_a_secret_goes() -> None:
    tree = {
        "api_key": "short",
        "api_keys": ["one", "${TWO}"],
        "headers": {"x-mine": "plain"},
        "tokens": 5,
        "deep": [{"client_secret": "x", "name": "ann-laptop"}],
    }
    assert scrubber().tree(tree) == {
        "api_key": MASK,
        "api_keys": [MASK, "${TWO}"],
        "headers": {"x-mine": MASK},
        "tokens": 5,
        "deep": [{"client_secret": MASK, "name": "[host]"}],
    }


def test_secrets_are_found_in_a_file_that_is_broken() -> None:
    text = """
[[providers]
api_key = "from-the-file"
base_url = "https://u-name:u-pass@h/v1?token=in-query"
other = "${SOME_NAME}"
password = 'single-quoted'
[providers.headers]
x-mine = "below-headers"
[router]
default = "plain"
"""
    found = set(secrets_of_text(text, {"SOME_NAME": "of-a-variable"}))
    assert {
        "from-the-file",
        "u-name",
        "u-pass",
        "in-query",
        "of-a-variable",
        "single-quoted",
        "below-headers",
    } <= found
    assert "plain" not in found


def test_secrets_are_found_in_variables_and_trees() -> None:
    environ = {"MY_TOKEN": "t-value", "HTTPS_PROXY": "http://u1:p1@proxy", "PATH": "/bin"}
    assert set(secrets_of_variables(environ)) == {"t-value", "u1", "p1"}
    tree = {"a": {"key": ["k1"]}, "headers": {"x": "k2"}, "b": "plain", "list": [{"password": "k3"}]}
    assert set(secrets_of_tree(tree)) == {"k1", "k2", "k3"}
    assert repr(scrubber()) == "<Scrubber: <Redactor that knows 0 clean texts>>"
