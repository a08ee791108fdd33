"""The text of pages, also of those that were made against it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.bridges.pages import text_of, title_of

PAGE = """<!DOCTYPE html><html><head><title> All about
 <b>cats</b> &amp; dogs</title><style>p { color: red }</style></head><body>
<!-- nobody > sees this --><h1>Cats</h1><p>They <em>purr</em>, &lt;softly&gt;.<br>And sleep.</p>
<SCRIPT>if (1 < 2) { alert("<p>no</p>") }</SCRIPT><ul><li>one</li><li>two</li></ul></body></html>"""


def test_the_words_are_found_line_by_line() -> None:
    assert text_of(PAGE) == "Cats\nThey purr, <softly>.\nAnd sleep.\none\ntwo"
    assert title_of(PAGE) == "All about <b>cats</b> & dogs"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("plain", "plain"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a<script>b", "a"),
        ("a<!-- b", "a"),
        ("a<p", "a"),
        ("a<?xml b?>c", "ac"),
        ("İ<SCRIPT>x</SCRIPT>b", "İb"),
        ("a&nbsp;&nbsp;b", "a b"),
        ("a\x1f\u2003\u2028 b\n\u3000\n\x85c", "a b\nc"),
        ("", ""),
    ],
)
def test_marks_that_are_none_or_have_no_end(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize("page", ["", "<title", "<title>no end", "<p>none</p>"])
def test_a_page_may_have_no_title(page: str) -> None:
    assert title_of(page) == ""


@given(st.text(st.sampled_from("<>!-/ap script;\n\"'İ"), max_size=200))
def test_no_page_breaks_it(page: str) -> None:
    words = text_of(page)
    assert len(words) <= len(page)
    assert "<script>" not in words
    title_of(page)


@pytest.mark.parametrize("mark", ["<!--", "<script>", "<", "<p ", "<!", "</script", "&", "<svg>"])
def test_a_page_of_nothing_but_beginnings_is_read_to_its_end(mark: str) -> None:
    assert isinstance(text_of(mark * 20_000), str)


@pytest.mark.parametrize("space", ["\x1f", "\u2003", "&#8195;"])
def test_a_page_of_nothing_but_spaces_is_read_to_its_end(space: str) -> None:
    assert text_of(f"a{space * 50_000}b") == "a b"
