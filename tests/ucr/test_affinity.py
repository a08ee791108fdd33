"""Which of several equal providers a session prefers."""

from collections import Counter
from dataclasses import replace

from tests.ucr.test_routing import CONFIG, A, B, provider
from ucr.affinity import preferred, ties_of
from ucr.config.model import Config, ModelTarget, Router
from ucr.routing import candidates, plan

EQUAL = tuple(provider(name, models=("m",)) for name in "pqr")
LAST = provider("last", models=("m",), priority=-1)
SESSIONS = [f"session-{number}" for number in range(300)]


def order(session: str, config: Config) -> list[str]:
    chosen = candidates(config, "m")
    return [c.provider.id for c in preferred(chosen, ties_of(chosen), session)]


def test_sessions_spread_over_providers_of_equal_standing_and_keep_theirs() -> None:
    config = Config(providers=(*EQUAL, LAST))
    firsts = Counter(order(session, config)[0] for session in SESSIONS)
    assert set(firsts) == {"p", "q", "r"}
    assert min(firsts.values()) > 60
    assert all(order(session, config) == order(session, config) for session in SESSIONS[:9])
    assert all(order(session, config)[3] == "last" for session in SESSIONS)


def test_a_session_moves_only_when_its_own_provider_is_gone() -> None:
    before, after = Config(providers=EQUAL), Config(providers=EQUAL[1:])
    for session in SESSIONS:
        assert [name for name in order(session, before) if name != "p"] == order(session, after)


def test_whom_a_route_names_one_after_the_other_keeps_the_order() -> None:
    targets = tuple(ModelTarget(p.id, "m") for p in EQUAL)
    config = Config(providers=EQUAL, router=Router(default=targets), models={"fast": targets})
    for name in ("fast", "zzz"):
        assert ties_of(candidates(config, name)) == ()


def test_other_priorities_are_no_ties() -> None:
    assert ties_of(candidates(CONFIG, "shared")) == ()
    same = replace(CONFIG, providers=(A, replace(B, priority=0)))
    assert ties_of(candidates(same, "shared")) == ((0, 2),)


def test_ties_of_later_tiers_count_as_well() -> None:
    config = Config(providers=EQUAL, models={"m": (ModelTarget("p", "own"),)})
    planned = plan(config, "m")
    assert [c.tier for c in planned] == ["optimal", "simple", "simple", "simple"]
    assert ties_of(planned) == ((1, 4),)
