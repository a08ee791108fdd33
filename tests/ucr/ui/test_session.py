import pytest

from ucr.ui.session import (
    COOKIE,
    HEADER,
    IDLE_S,
    MOST_S,
    RENEWED_S,
    Session,
    Sessions,
    comes_from_origin,
    comes_from_page,
    cookie_of,
)

KEY = "a" * 64
NOW_S = 1_800_000_000.0
SESSIONS = Sessions(b"secret")
VALUE = SESSIONS.begun(KEY, NOW_S)


def found(value: str, now_s: float = NOW_S, key: str = KEY, sessions: Sessions = SESSIONS) -> Session | None:
    return sessions.found({"cookie": f"other=1; {COOKIE}={value}"}, key, now_s)


def test_a_session_is_known_again_by_whoever_shares_the_secret() -> None:
    assert found(VALUE, sessions=Sessions(b"secret")) == Session(int(NOW_S), int(NOW_S))


@pytest.mark.parametrize(
    ("value", "key", "secret"),
    [
        (VALUE, "b" * 64, b"secret"),
        (VALUE, KEY, b"another"),
        (VALUE[:-1], KEY, b"secret"),
        (VALUE.replace("1800000000.", "1800009999.", 1), KEY, b"secret"),
        ("1800000000.1800000000.", KEY, b"secret"),
        ("", KEY, b"secret"),
        ("..", KEY, b"secret"),
        ("-1.-1.x", KEY, b"secret"),
        ("\u0661.\u0661.x", KEY, b"secret"),
        ("9" * 5000 + ".1.x", KEY, b"secret"),
    ],
)
def test_what_is_none_of_ours_is_no_session(value: str, key: str, secret: bytes) -> None:
    assert found(value, key=key, sessions=Sessions(secret)) is None


@pytest.mark.parametrize("cookie", ["", "ucr_session", "=;;=", 'ucr_session="', "ucr_session=\x00"])
def test_a_broken_cookie_is_no_session(cookie: str) -> None:
    assert SESSIONS.found({"cookie": cookie}, KEY, NOW_S) is None


@pytest.mark.parametrize("other", ["theme", "a b=1", 'a={"x": 1}', "é=ü", "x_ucr_session=1.2.3", "=;="])
def test_cookies_of_others_do_not_hide_ours_however_they_are_written(other: str) -> None:
    for cookies in (f"{COOKIE}={VALUE}; {other}", f"{other}; {COOKIE}={VALUE}"):
        assert SESSIONS.found({"cookie": cookies}, KEY, NOW_S) is not None


def test_a_session_ends_when_it_is_not_renewed() -> None:
    assert found(VALUE, NOW_S + IDLE_S - 1) is not None
    assert found(VALUE, NOW_S + IDLE_S) is None


def test_a_session_that_is_used_goes_on_but_not_for_ever() -> None:
    now_s, value = NOW_S, VALUE
    while (session := found(value, now_s)) is not None:
        value = SESSIONS.renewed(session, KEY, now_s) or value
        now_s += RENEWED_S
    assert now_s == NOW_S + MOST_S


def test_a_young_session_is_not_renewed() -> None:
    session = found(VALUE)
    assert session is not None
    assert SESSIONS.renewed(session, KEY, NOW_S + RENEWED_S - 1) is None


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(SESSIONS)


def test_the_cookie_is_for_this_page_alone() -> None:
    name, plain = cookie_of("value", is_secure=False)
    assert (name, plain) == (
        "set-cookie",
        "ucr_session=value; Max-Age=3600; Path=/ui; HttpOnly; SameSite=Strict",
    )
    assert cookie_of("value", is_secure=True)[1] == f"{plain}; Secure"
    assert cookie_of(None, is_secure=False)[1].startswith("ucr_session=; Max-Age=0; Path=/ui;")


def test_only_the_page_sends_its_header_and_only_its_host_is_its_origin() -> None:
    assert comes_from_page({HEADER: "1"})
    assert not comes_from_page({})
    assert comes_from_origin({"origin": "http://127.0.0.1:3000", "host": "127.0.0.1:3000"})
    assert not comes_from_origin({"host": "127.0.0.1:3000"})
    assert not comes_from_origin({"origin": "http://127.0.0.1:4000", "host": "127.0.0.1:3000"})
