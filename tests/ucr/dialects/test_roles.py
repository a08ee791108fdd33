"""What passes between the two roles of a dialect."""

from ucr.catalogue import OPENAI
from ucr.dialects.roles import Content, Request, Target
from ucr.estimate import quick_estimate
from ucr.profile import profile_of


def test_content_counts_its_events_and_characters_and_never_loses_any() -> None:
    content = Content()
    for chars in (5, 0, -30, 7):
        content.add(chars)
    assert (content.events, content.chars) == (4, 12)


def test_a_request_knows_about_how_many_tokens_it_is() -> None:
    raw = b'{"model":"m"}' * 100
    request = Request("anthropic", raw, {}, "m", False, {})
    assert request.estimate == quick_estimate(raw)


def test_a_target_matches_its_quirks_once() -> None:
    target = Target("openai", "gpt-5.6", "https://api.openai.com/v1", OPENAI)
    assert target.profile == profile_of(OPENAI, "gpt-5.6")
    assert target.profile is target.profile
    assert target == Target("openai", "gpt-5.6", "https://api.openai.com/v1", OPENAI)
