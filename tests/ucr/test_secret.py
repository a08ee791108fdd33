import pytest

from ucr.secret import Secret

KEY = "sk-ant-planted"


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(KEY)),
        str(Secret(KEY)),
        f"{Secret(KEY)}",
        f"{Secret(KEY):>40}",
        "%s %r" % (Secret(KEY), Secret(KEY)),  # noqa: UP031
        repr([Secret(KEY)]),
        repr(ValueError(Secret(KEY))),
    ],
)
def test_no_way_of_showing_a_secret_shows_its_value(shown: str) -> None:
    assert KEY not in shown
    assert "***" in shown


def test_only_reveal_gives_the_value() -> None:
    assert Secret(KEY).reveal() == KEY


def test_an_empty_secret_is_false_and_shows_that_it_is_empty() -> None:
    assert not Secret("")
    assert Secret(KEY)
    assert repr(Secret("")) == "Secret('')"


def test_secrets_are_equal_when_their_values_are() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret("other")
