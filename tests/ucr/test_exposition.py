import re

from actors import ChildStatistics, Counter, Histogram, MetricsSnapshot
from tests.ucr.test_series import VIEW
from tests.world.sources import ROOT
from ucr.exposition import GAUGES, TOTALS, text
from ucr.series import gauges_of, totals_of
from ucr.views import Gathered, StoreView, WorkerView

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\\\|\\"|\\n)*",?)*\})? -?[0-9.e+-]+$')


def page(metrics: MetricsSnapshot) -> list[str]:
    return text(Gathered((WorkerView("0", 1, metrics=metrics),))).decode().splitlines()


def test_a_histogram_is_told_as_running_sums() -> None:
    histogram = Histogram("ucr_ttfb_seconds", (("provider", "groq"),), (0.5, 1.0), (2, 0, 1), 4.5)
    lines = [line for line in page(MetricsSnapshot((), (histogram,))) if "ttfb" in line]
    assert lines == [
        "# HELP ucr_ttfb_seconds Time to the first byte of an answer.",
        "# TYPE ucr_ttfb_seconds histogram",
        'ucr_ttfb_seconds_bucket{provider="groq",le="0.5"} 2',
        'ucr_ttfb_seconds_bucket{provider="groq",le="1"} 2',
        'ucr_ttfb_seconds_bucket{provider="groq",le="+Inf"} 3',
        'ucr_ttfb_seconds_sum{provider="groq"} 4.5',
        'ucr_ttfb_seconds_count{provider="groq"} 3',
    ]


def test_labels_are_escaped() -> None:
    odd = Counter("ucr_requests_total", (("model", 'a"b\\c\nd'),), 1)
    assert 'ucr_requests_total{model="a\\"b\\\\c\\nd"} 1' in page(MetricsSnapshot((odd,)))


def test_each_family_is_announced_once_and_every_line_has_the_form() -> None:
    lines = text(Gathered((VIEW, WorkerView("2", 2)))).decode().splitlines()
    announced = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(announced) == len(set(announced))
    assert all(SAMPLE.match(line) for line in lines if not line.startswith("#"))
    assert text(Gathered((VIEW,))).endswith(b"\n")


def test_the_store_stands_for_a_worker() -> None:
    child = ChildStatistics("ucr:limits", "running", 0, 0)
    store = StoreView(7, 1, 4096, (child,), cache={"entries": 3, "bytes": 99})
    lines = text(Gathered((WorkerView("0", 1),), store=store)).decode().splitlines()
    for line in ("resident_memory_bytes{} 4096", "cache_entries{} 3", "cache_bytes{} 99"):
        assert "ucr_" + line.replace("{}", '{worker="store"}') in lines


def test_every_series_belongs_to_a_family() -> None:
    assert {count.name for count in totals_of(VIEW)} <= {family.name for family in TOTALS}
    assert {gauge.name for gauge in gauges_of(VIEW)} == {family.name for family in GAUGES}


def test_every_metric_is_documented() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text("utf-8")
    missing = [family.name for family in (*TOTALS, *GAUGES) if f"`{family.name}`" not in reference]
    assert missing == []
