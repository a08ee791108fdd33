from xml.etree import ElementTree

from terminal_picture import COLUMNS, drawn, picture

from tests.world.sources import ROOT

SVG = "{http://www.w3.org/2000/svg}"


def test_a_window_has_a_line_of_text_for_each_line_of_the_page() -> None:
    root = ElementTree.fromstring(
        picture(["\x1b[1mucr-trio top\x1b[0m", "", "<3> requests/s", "\x1b[7mq quit\x1b[0m"])
    )
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts == ["ucr-trio top", "ucr-trio top", None, "<3> requests/s", "q quit"]


def test_styles_become_colours_and_codes_are_not_shown() -> None:
    red = drawn(3, "\x1b[31mgroq  open\x1b[0m")
    assert "ff7b72" in red
    assert "\x1b" not in red
    assert "<rect" in drawn(3, "\x1b[7mq quit\x1b[0m")


def test_the_picture_of_the_readme_is_a_page_of_top() -> None:
    root = ElementTree.parse(ROOT / "docs" / "assets" / "top.svg").getroot()
    shown = "\n".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert "LAST MINUTE" in shown
    assert "q quit" in shown
    assert max(len(line) for line in shown.splitlines()) <= COLUMNS
