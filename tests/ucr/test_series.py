from actors import ChildStatistics, Count, MailboxStatistics
from ucr.series import Ratchet, gauges_of, totals_of, without_number
from ucr.views import WorkerView

MAILBOX = MailboxStatistics(1, 2, 9, False, 8, 3, 1, 1, 1, 4, 0, 0)
STATUS = {
    "state": "serving",
    "in_flight": 2,
    "waiting": 1,
    "granted": 9,
    "succeeded": 5,
    "abandoned": 1,
    "failures": {"reset": 1},
    "pool": {"open": 3, "idle": 1, "opened": 4, "reused": 5, "stale": 0, "failed": 1},
    "limit": 64,
    "shed": {"full": 3},
    "retries_spent": 2,
    "keys": [{"cooling_in_s": 4.0}, {"cooling_in_s": None}],
    "breaker": {"state": "half_open"},
    "breakers": {"gpt-x": {"state": "open"}},
}
CACHE = {
    "backing": {"hits": 5},
    "entries": 2,
    "bytes": 10,
    "hits": 3,
    "misses": 1,
    "busy": 0,
    "stored": 1,
    "too_large": 0,
    "forfeited": 0,
    "late": 0,
    "evicted": 6,
}
BELOW = ChildStatistics("deep", "running", 0, 0, mailbox=MAILBOX)
VIEW = WorkerView(
    "1",
    100,
    rss_bytes=4096,
    open_requests=7,
    children=(
        ChildStatistics("groq@2", "running", 1, 2, mailbox=MAILBOX),
        ChildStatistics("b", "running", 0, 0, children=(BELOW,)),
    ),
    providers={"groq": STATUS},
    cache=CACHE,
    hot={"entries": 2, "bytes": 30, "hits": 4},
)


def test_what_goes_up_and_down_is_told_for_each_worker() -> None:
    gauges = {(gauge.name, *(value for _, value in gauge.labels)): gauge.value for gauge in gauges_of(VIEW)}
    assert gauges["ucr_open_requests", "1"] == 7
    assert gauges["ucr_cache_backing", "1", "hits"] == 5
    assert gauges["ucr_resident_memory_bytes", "1"] == 4096
    assert gauges["ucr_provider_in_flight", "1", "groq"] == 2
    assert gauges["ucr_provider_serving", "1", "groq"] == 1
    assert gauges["ucr_breaker_state", "1", "groq", "gpt-x"] == 2
    assert gauges["ucr_breaker_state", "1", "groq", ""] == 1
    assert gauges["ucr_provider_limit", "1", "groq"] == 64
    assert gauges["ucr_keys_cooling", "1", "groq"] == 1
    assert gauges["ucr_pool_connections", "1", "groq", "idle"] == 1
    assert gauges["ucr_pool_connections", "1", "groq", "used"] == 2
    assert gauges["ucr_mailbox_queued", "1", "deep"] == 1
    assert gauges["ucr_cache_bytes", "1"] == 10


def test_what_actors_count_themselves_is_told_as_totals() -> None:
    counts = {(count.name, *(value for _, value in count.labels)): count.amount for count in totals_of(VIEW)}
    assert counts["ucr_actor_restarts_total", "groq@2"] == 2
    assert counts["ucr_mailbox_asks_total", "deep", "full"] == 4
    assert counts["ucr_leases_granted_total", "groq"] == 9
    assert counts["ucr_leases_total", "groq", "reset"] == 1
    assert counts["ucr_leases_total", "groq", "success"] == 5
    assert counts["ucr_connections_total", "groq", "reused"] == 5
    assert counts["ucr_refusals_total", "groq", "full"] == 3
    assert counts["ucr_retries_total", "groq", "granted"] == 2
    assert counts["ucr_cache_evictions_total",] == 6


def test_a_worker_without_a_cache_tells_of_none() -> None:
    bare = WorkerView("0", 1)
    assert [count.name for count in totals_of(bare)] == []
    assert not any("cache" in gauge.name for gauge in gauges_of(bare))


def test_no_total_falls_when_its_actor_is_replaced_or_gone() -> None:
    ratchet = Ratchet()
    one = (("actor", "a"),)
    assert ratchet.held([Count("calls", one, 5)]) == (Count("calls", one, 5),)
    assert ratchet.held([Count("calls", one, 2)]) == (Count("calls", one, 7),)
    assert ratchet.held([Count("calls", one, 3)]) == (Count("calls", one, 8),)
    assert ratchet.held([]) == (Count("calls", one, 8),)
    assert repr(ratchet) == "<Ratchet of 1 series>"


def test_a_successor_counts_under_the_first_name() -> None:
    assert without_number(Count("c", (("actor", "groq@2"),))).labels == (("actor", "groq"),)
    assert without_number(Count("c", (("provider", "a@b"),))).labels == (("provider", "a@b"),)
