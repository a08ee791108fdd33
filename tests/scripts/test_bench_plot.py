from xml.etree import ElementTree

import pytest
from bench_plot import COLOURS, Group, bars, bounds, coloured, place, said

GROUPS = (
    Group("small", (("nginx", 16.0), ("UCR <1>", 120.0), ("direct", 0.0))),
    Group("large", (("nginx", 40.0), ("UCR <1>", 300.0))),
)


def test_a_picture_is_xml_with_a_bar_for_each_value_above_nothing() -> None:
    root = ElementTree.fromstring(bars("Costs", "µs", GROUPS))
    boxes = [box for box in root.iter("{http://www.w3.org/2000/svg}rect") if box.get("x")]
    assert len(boxes) == 4
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"small", "large", "120 UCR <1>", "10", "1,000"} <= set(texts)
    assert not any(text and "direct" in text for text in texts)


def test_a_larger_value_has_a_longer_bar() -> None:
    root = ElementTree.fromstring(bars("Costs", "µs", GROUPS))
    boxes = [box for box in root.iter("{http://www.w3.org/2000/svg}rect") if box.get("x")]
    widths = [float(box.get("width", 0)) for box in boxes]
    nginx, ucr, nginx_large, ucr_large = widths
    assert nginx < nginx_large < ucr < ucr_large
    assert boxes[0].get("fill") == boxes[2].get("fill") != boxes[1].get("fill")


@pytest.mark.parametrize(
    ("values", "expected"),
    [((16, 300), (10, 1000)), ((10, 10), (10, 100)), ((0.3,), (0.1, 1)), ((), (1, 10)), ((0, 5), (1, 10))],
)
def test_the_scale_goes_from_one_power_of_ten_to_another(values: tuple[float, ...], expected: object) -> None:
    assert bounds(values) == pytest.approx(expected)


def test_values_stand_where_their_logarithm_does() -> None:
    assert place(10, 10, 1000) == 0
    assert place(100, 10, 1000) == pytest.approx(0.5)
    assert place(1000, 10, 1000) == pytest.approx(1)


def test_there_are_colours_for_any_number_of_names() -> None:
    found = coloured([*(f"n{number}" for number in range(20)), "n0"])
    assert len(found) == 20
    assert found["n0"] == found[f"n{len(COLOURS)}"] == COLOURS[0]


@pytest.mark.parametrize(("value", "words"), [(1234.5, "1,234"), (12, "12"), (0.314, "0.31"), (3.14, "3.1")])
def test_numbers_have_the_digits_that_say_something(value: float, words: str) -> None:
    assert said(value) == words
