import xml.etree.ElementTree as ET

import pytest

from ucr.stress.real.picture import LEFT, RIGHT, WIDTH, drawn, scale_of
from ucr.stress.real.timeline import Course, Happening, Slice

SVG = "{http://www.w3.org/2000/svg}"
SLICES = tuple(Slice(at / 2, 50, at % 3, 0.02, 0.05, 0.2 if at != 9 else 3.0) for at in range(20))
STORM = Course(
    10.0,
    SLICES,
    (Happening(0.0, "light"),),
    (Happening(4.0, "kills"), Happening(6.0, "reloads"), Happening(8.0, "kills")),
)


def parsed(course: Course) -> ET.Element:
    return ET.fromstring(drawn("seed 1 & more", course))


def words_of(root: ET.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def test_it_is_well_formed_and_says_what_ran() -> None:
    root = parsed(STORM)
    assert "seed 1 & more" in words_of(root)
    assert {"median", "95 of 100", "longest", "not ok", "light", "100 ms", "1 s"} <= set(words_of(root))


def test_each_fault_has_its_mark_in_the_row_of_its_kind() -> None:
    marks = [(circle.get("cx"), circle.get("cy")) for circle in parsed(STORM).iter(f"{SVG}circle")]
    (first, row), (second, other), (third, again) = marks
    assert [float(x or 0) for x in (first, second, third)] == sorted(float(x or 0) for x, _ in marks)
    assert row == again != other
    assert words_of(parsed(STORM)).count("kills") == 1


def test_everything_lies_within_the_picture() -> None:
    root = parsed(STORM)
    height = float(root.get("height") or 0)
    for rect in root.iter(f"{SVG}rect"):
        assert float(rect.get("x") or 0) + float(rect.get("width") or 0) <= WIDTH + 1
        assert float(rect.get("height") or 0) >= 0
    for text in root.iter(f"{SVG}text"):
        assert 0 < float(text.get("y") or 0) < height


def test_times_to_answer_stand_between_powers_of_ten() -> None:
    scale = scale_of(SLICES, 10.0)
    assert (scale.least_s, scale.most_s) == (0.01, 10.0)
    assert scale.y(0.01) > scale.y(0.1) > scale.y(10.0)
    assert (scale.x(0), scale.x(10.0)) == (LEFT, WIDTH - RIGHT)


@pytest.mark.parametrize("length_s", [0.0, 59.0, 3600.0, 90_000.0])
def test_a_run_of_any_length_has_a_legible_number_of_times_below(length_s: float) -> None:
    shown = [words for words in words_of(parsed(Course(length_s))) if words.endswith((" s", " min"))]
    assert len(shown) <= 13 + 6 or length_s > 3600 * 12


def test_a_line_is_broken_where_no_answer_came() -> None:
    gap = (*SLICES[:4], *SLICES[10:])
    paths = [path.get("d") or "" for path in parsed(Course(10.0, gap)).iter(f"{SVG}path")]
    assert sum(path.count("M") == 2 for path in paths) == 3
