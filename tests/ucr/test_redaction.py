import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.redaction import CLEAN_CHARS, CLEAN_TEXTS, MASK, Redactor, holds_secret

KEYS = {
    "openai": "sk-proj-0123456789abcdef",
    "anthropic": "sk-ant-api03-0123456789",
    "google": "AIzaSyA0123456789abcdefghij",
    "github": "ghp_0123456789abcdef",
    "github-pat": "github_pat_0123456789abcdef",
    "slack": "xoxb-1234567890-abcdef",
    "groq": "gsk_0123456789abcdef01",
    "xai": "xai-0123456789abcdef01",
    "header": "Bearer abc.def-ghi",
    "header-in-capitals": "AUTHORIZATION: BEARER abcdefgh",
}


@pytest.mark.parametrize("text", KEYS.values(), ids=KEYS.keys())
def test_what_looks_like_a_key_is_replaced_as_a_whole(text: str) -> None:
    shown = Redactor().text(f"before {text} after")
    assert shown.startswith("before ")
    assert shown.endswith(f"{MASK} after")
    assert not set(text.split()[-1].split("-")) & set(shown.split())


def test_a_key_in_a_query_goes_and_its_name_stays() -> None:
    assert Redactor().text("https://x.test/v1?key=abc123&alt=sse") == f"https://x.test/v1?{MASK}&alt=sse"


def test_user_and_password_of_a_url_go() -> None:
    assert Redactor().text("https://me:word@x.test/a@b") == f"https://{MASK}x.test/a@b"


def test_words_that_only_resemble_keys_stay() -> None:
    text = "risk-management for task-force-alpha-2 with sk-7"
    assert Redactor().text(text) == text


def test_a_known_secret_goes_wherever_it_stands_even_within_a_word() -> None:
    assert Redactor(["local-key-123"]).text("xlocal-key-123x") == f"x{MASK}x"


def test_a_short_secret_goes_only_where_it_stands_alone() -> None:
    assert Redactor(["test"]).text("test latest test.") == f"{MASK} latest {MASK}."


def test_a_secret_that_holds_another_goes_as_a_whole() -> None:
    assert Redactor(["abcdefgh", "abcdefgh-ijkl"]).text("abcdefgh-ijkl") == MASK


def test_trees_are_redacted_in_keys_and_values() -> None:
    tree = {"local-key-123": ["local-key-123", 1, None, {"a": ("local-key-123",)}]}
    assert Redactor(["local-key-123"]).tree(tree) == {MASK: [MASK, 1, None, {"a": [MASK]}]}


@given(st.sampled_from([*KEYS.values(), 'quo"ted\\secret', "plain-secret-ü"]), st.text(), st.text())
@settings(max_examples=50)
def test_text_is_suspected_whenever_it_would_be_changed(secret: str, before: str, after: str) -> None:
    redactor = Redactor(['quo"ted\\secret', "plain-secret-ü"])
    text = f"{before} {secret} {after}"
    if redactor.text(text) != text:
        assert redactor.suspects(json.dumps({"text": text}, ensure_ascii=False))


def test_plain_text_is_not_suspected() -> None:
    assert not Redactor(["local-key-123"]).suspects('{"event":"request.finished","status":200}')


@given(st.lists(st.sampled_from([*KEYS.values(), "x local-key-123", "task-force", "a@b", "plain", None])))
def test_plain_texts_are_cleared_exactly_when_nothing_in_them_would_be_changed(texts: list[str | None]) -> None:
    redactor = Redactor(["local-key-123"])
    expected = all(text is None or redactor.text(text) == text for text in texts)
    assert [redactor.clears(texts) for _ in range(2)] == [expected, expected]


@pytest.mark.parametrize("text", ["é", "a\x7f", "\u2028", "line\nline", "\x1b[31m"])
def test_texts_that_may_steer_a_terminal_are_never_cleared(text: str) -> None:
    redactor = Redactor()
    assert [redactor.clears([text]) for _ in range(2)] == [False, False]


def test_clean_texts_are_known_again_and_neither_many_nor_long_ones_take_room() -> None:
    redactor = Redactor()
    assert redactor.clears(["a", "b", "a", None, "x" * (CLEAN_CHARS + 1)])
    assert repr(redactor) == "<Redactor that knows 2 clean texts>"
    for number in range(3 * CLEAN_TEXTS):
        assert redactor.clears([str(number)])
        assert int(repr(redactor).split()[3]) <= CLEAN_TEXTS
    assert not redactor.clears([KEYS["openai"]])


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "x-token", "cookie", "client-secret"])
def test_headers_of_secrets_are_known_by_their_names(name: str) -> None:
    assert holds_secret(name)
    assert not holds_secret("x-title")
