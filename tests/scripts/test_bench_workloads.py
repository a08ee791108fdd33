from bench_workloads import PACED, SHORT, SHORT_PACED, WORKLOADS, Workload


def named(name: str) -> Workload:
    return next(workload for workload in WORKLOADS if workload.name == name)


def test_every_name_is_given_once_and_the_short_form_names_what_there_is() -> None:
    names = [*(workload.name for workload in WORKLOADS), *(paced.name for paced in PACED)]
    assert len(names) == len(set(names))
    assert {*SHORT, *SHORT_PACED} <= set(names)


def test_every_kind_of_work_is_there() -> None:
    assert {(w.client, w.provider) for w in WORKLOADS} == {
        ("anthropic", "openai-chat"),
        ("anthropic", "anthropic"),
        ("openai-chat", "openai-chat"),
    }
    for read in (
        lambda w: w.size,
        lambda w: w.stream,
        lambda w: w.tls,
        lambda w: w.unique,
        lambda w: w.workers,
    ):
        assert len({read(workload) for workload in WORKLOADS}) == 2
    assert {paced.streams for paced in PACED} >= {100, 500, 1000}


def test_titles_say_what_is_done() -> None:
    assert named("pass-small").title == "small body, passed through (Anthropic)"
    assert named("tls-large").title.endswith("translated, TLS upstream")
    assert not named("chat-stream").is_translated
    assert named("two-small").is_translated


def test_budgets_belong_to_the_paths_that_have_one() -> None:
    found = {workload.name: workload.budget.ratio for workload in WORKLOADS if workload.budget}
    assert found == {"small": 8, "large": 10, "stream": 14, "hit": 4.5, "hit-store": 10}


def test_what_every_router_is_able_to_do_is_told_apart() -> None:
    plain = {workload.name for workload in WORKLOADS if workload.is_plain}
    ways = [prefix + name for prefix in ("", "pass-", "chat-") for name in ("small", "large", "stream")]
    assert plain == set(ways)
