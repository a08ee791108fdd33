"""What passes between the two roles of a dialect."""

from ucr.dialects.roles import Content


def test_content_counts_its_events_and_characters_and_never_loses_any() -> None:
    content = Content()
    for chars in (5, 0, -30, 7):
        content.add(chars)
    assert (content.events, content.chars) == (4, 12)
