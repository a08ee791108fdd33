import json
import re

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from actors import ChildStatistics, Counter, Histogram, MetricsSnapshot
from tests.ucr.test_series import VIEW
from tests.world import answers
from tests.world.router import config_of, open_router, provider
from tests.world.sources import ROOT
from ucr.config.model import Cache, Price
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


ASK = {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
BUSY = config_of(
    provider("up", "anthropic", models=("claude-x",)),
    cache=Cache(),
    prices=(Price(3.0, 15.0),),
)
REFUSED = answers.says(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}})


async def real_page() -> str:
    """Return the page of a router that has met a bit of everything."""
    whole = answers.says(200, answers.anthropic_reply())
    stream = answers.streams(answers.anthropic_text("one ", "two"), pause_s=0.1)
    async with open_router(BUSY, up=(whole, stream, REFUSED)) as world:
        for ask in (ASK, ASK, {**ASK, "stream": True}, {**ASK, "model": "other"}):
            await world.ask("/v1/messages", ask)
        return (await world.ask("/metrics", method="GET")).body.decode()


def names_in(families: dict[str, Metric]) -> set[str]:
    return {sample.name for family in families.values() for sample in family.samples}


async def test_a_reader_of_the_format_understands_a_real_page(autojump_clock: object) -> None:
    page = await real_page()
    families = {family.name: family for family in text_string_to_metric_families(page)}
    kinds = {family.name.removesuffix("_total"): family.kind for family in (*TOTALS, *GAUGES)}
    assert {name: family.type for name, family in families.items()}.items() <= kinds.items()
    assert all(family.documentation for family in families.values())
    (done,) = (one for one in families["ucr_requests"].samples if one.labels["cache"] == "hit")
    assert (done.labels["provider"], done.labels["stream"], done.value) == ("up", "false", 1)
    for family in families.values():
        series = [(sample.name, *sorted(sample.labels.items())) for sample in family.samples]
        assert len(series) == len(set(series)), f"{family.name}: each series is told once"


DASHBOARD = json.loads((ROOT / "docs" / "grafana.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
LABEL = re.compile(r"(?:by \(|, )([a-z]+)(?=[,)])|([a-z]+)=[~\"]|\{\{([a-z]+)\}\}")


async def test_every_metric_and_label_of_the_dashboard_is_on_a_real_page(autojump_clock: object) -> None:
    families = {family.name: family for family in text_string_to_metric_families(await real_page())}
    there = names_in(families)
    labels = {name for family in families.values() for sample in family.samples for name in sample.labels}
    asked = [(target["expr"], target["legendFormat"]) for panel in PANELS for target in panel["targets"]]
    variable = DASHBOARD["templating"]["list"][1]["query"]["query"]
    named = set(re.findall(r"ucr_[a-z_]+", " ".join((variable, *(expression for expression, _ in asked)))))
    assert sorted(named - there) == []
    words = {word for pair in asked for text in pair for found in LABEL.findall(text) for word in found if word}
    assert sorted(words - labels) == []
    assert len(named) > 25


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_counters_are_shown_as_rates_and_gauges_as_they_are(panel: dict[str, object]) -> None:
    for target in panel["targets"]:
        for name in re.findall(r"(ucr_[a-z_]+)", target["expr"]):
            is_counter = name.endswith(("_total", "_bucket", "_sum", "_count"))
            pattern = rf"(?:rate|increase)\({name}[{{\[]"
            assert bool(re.search(pattern, target["expr"])) is is_counter


def test_no_two_panels_lie_on_each_other() -> None:
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells
