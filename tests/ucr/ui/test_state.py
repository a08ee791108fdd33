from actors import Counter, MetricsSnapshot
from tests.world.router import config_of, provider
from ucr.access import digest
from ucr.ui.state import state_json
from ucr.views import Gathered, WorkerView

CONFIG = config_of(provider("up", "anthropic", enabled=False))
WHOM = (("provider", "up"), ("model", "m"))


def gathered(*counters: Counter) -> Gathered:
    status = {"state": "serving", "breaker": {"state": "closed"}, "breakers": {"m": {"state": "open"}}}
    metrics = MetricsSnapshot(counters=counters)
    return Gathered((WorkerView("0", 1, providers={"up": status}, metrics=metrics, uptime_s=12.34),))


def test_everything_is_of_one_moment() -> None:
    told = state_json(gathered(), CONFIG)
    assert (told["uptime_s"], told["models"], told["cost_usd"], told["is_locked"]) == (12.3, [], 0, False)
    assert told["cache"]["enabled"] is False
    assert told["tree"]["workers"][0]["worker"] == "0"


def test_a_provider_has_the_gravest_state_of_its_breakers() -> None:
    (one,) = state_json(gathered(), CONFIG)["providers"]
    assert (one["id"], one["enabled"], one["breaker"]) == ("up", False, "open")
    assert one["status"]["state"] == "serving"


def test_a_model_has_what_it_was_asked_and_what_it_cost() -> None:
    counters = (
        Counter("ucr_requests_total", (*WHOM, ("status", "200")), 3),
        Counter("ucr_requests_total", (*WHOM, ("status", "500")), 1),
        Counter("ucr_requests_total", (("provider", ""), ("model", ""), ("status", "401")), 9),
        Counter("ucr_tokens_total", (*WHOM, ("kind", "input")), 100),
        Counter("ucr_tokens_total", (*WHOM, ("kind", "output")), 20),
        Counter("ucr_cost_usd_total", WHOM, 0.25),
        Counter("ucr_requests_total", (("provider", "up"), ("model", "free")), 1),
    )
    free, paid = state_json(gathered(*counters), CONFIG)["models"]
    assert (free["model"], free["requests"], free["cost_usd"]) == ("free", 1, None)
    assert paid == {
        "provider": "up",
        "model": "m",
        "requests": 4,
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 0,
        "cache_creation_tokens": 0,
        "cost_usd": 0.25,
    }


def test_the_page_is_told_whether_there_is_a_key_and_not_which() -> None:
    locked = config_of(provider("up", "anthropic"), admin_key_sha256=digest("admin-key"))
    told = state_json(gathered(), locked)
    assert told["is_locked"] is True
    assert digest("admin-key") not in str(told)
