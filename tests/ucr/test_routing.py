import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.config.model import TASKS, Config, ModelTarget, Provider, Router
from ucr.errors import ApiError
from ucr.routing import STEPS, TIERS, Claim, candidates, plain_name, plan, spellings, trail


def provider(id_: str, **fields: object) -> Provider:
    return Provider(id_, "openai-chat", f"https://{id_}.test/v1", **fields)  # type: ignore[arg-type]


A = provider("a", default_model="a-1", models=("shared", "claude-sonnet-4-5"))
B = provider("b", default_model="b-1", models=("shared",), priority=5)
C = provider("c")
OFF = provider("off", models=("only-off",), enabled=False)

CONFIG = Config(
    providers=(A, B, C, OFF),
    models={
        "fast": (ModelTarget("b", "b-small"), ModelTarget("c")),
        "b/b-1": (ModelTarget("a"),),
        "gone": (ModelTarget("off"),),
    },
    router=Router(default=(ModelTarget("a"),), fallbacks=(ModelTarget("c", "c-9"),)),
)


def routed(model: str, config: Config = CONFIG) -> list[tuple[str, str, str]]:
    return [(c.provider.id, c.model, c.route) for c in candidates(config, model)]


FALLBACK = ("c", "c-9", "fallback")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param("fast", [("b", "b-small", "alias"), ("c", "fast", "alias"), FALLBACK], id="alias"),
        pytest.param("b/b-1", [("a", "a-1", "alias"), FALLBACK], id="alias-before-provider"),
        pytest.param("b/x/y", [("b", "x/y", "provider"), FALLBACK], id="provider-and-model"),
        pytest.param("off/x", [("a", "a-1", "default"), FALLBACK], id="provider-switched-off"),
        pytest.param("nobody/x", [("a", "a-1", "default"), FALLBACK], id="no-such-provider"),
        pytest.param("c/", [("a", "a-1", "default"), FALLBACK], id="provider-without-model"),
        pytest.param("gone", [("a", "a-1", "default"), FALLBACK], id="alias-of-what-is-off"),
        pytest.param("shared", [("b", "shared", "listed"), ("a", "shared", "listed"), FALLBACK], id="priority"),
        pytest.param("a-1", [("a", "a-1", "listed"), FALLBACK], id="a-default-model-is-listed"),
        pytest.param("only-off", [("a", "a-1", "default"), FALLBACK], id="listed-by-what-is-off"),
        pytest.param("claude-opus-9", [("a", "a-1", "default"), FALLBACK], id="unknown-claude"),
    ],
)
def test_the_first_step_that_claims_a_model_decides(model: str, expected: list[tuple[str, str, str]]) -> None:
    assert routed(model) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param("claude-sonnet-4-5[1m]", ("a", "claude-sonnet-4-5", "listed"), id="edge-150-long-context"),
        pytest.param("claude-sonnet-4-5[1M]", ("a", "claude-sonnet-4-5", "listed"), id="edge-150-in-capitals"),
        pytest.param("claude-sonnet-4-5-20250929", ("a", "claude-sonnet-4-5", "listed"), id="edge-150-date"),
        pytest.param(
            "claude-sonnet-4-5@20250929", ("a", "claude-sonnet-4-5", "listed"), id="edge-150-vertex-date"
        ),
        pytest.param("claude-sonnet-4-5:beta", ("a", "claude-sonnet-4-5", "listed"), id="edge-150-beta"),
        pytest.param("b/some-model[1m]", ("b", "some-model", "provider"), id="edge-150-prefix-and-suffix"),
        pytest.param("claude-ucr/b/some-model", ("b", "some-model", "provider"), id="edge-150-picker"),
        pytest.param("c/llama3:8b", ("c", "llama3:8b", "provider"), id="edge-150-tags-are-names"),
        pytest.param("fast[1m]", ("b", "b-small", "alias"), id="edge-150-alias"),
    ],
)
def test_what_clients_add_to_a_name_is_resolved(model: str, expected: tuple[str, str, str]) -> None:
    assert routed(model)[0] == expected


def test_a_default_without_a_model_is_asked_for_the_plain_name() -> None:
    config = Config(providers=(C,), router=Router(default=(ModelTarget("c"),)))
    assert routed("claude-opus-5-5[1m]", config) == [("c", "claude-opus-5-5", "default")]


def test_an_exact_name_goes_before_a_shortened_one() -> None:
    exact = provider("x", models=("m-20250929",))
    short = provider("y", models=("m",), priority=9)
    assert routed("m-20250929", Config(providers=(exact, short))) == [("x", "m-20250929", "listed")]


def test_a_candidate_stands_once_and_keeps_its_first_route() -> None:
    targets = (ModelTarget("a"), ModelTarget("a", "a-1"), ModelTarget("b"))
    config = Config(providers=(A, B), router=Router(default=targets, fallbacks=(ModelTarget("b", "b-1"),)))
    assert routed("zzz", config) == [("a", "a-1", "default"), ("b", "b-1", "default")]


def test_who_is_named_again_in_a_later_tier_keeps_the_place_of_the_first() -> None:
    planned = [(c.provider.id, c.model, c.route, c.tier) for c in plan(CONFIG, "shared")]
    assert planned == [
        ("b", "shared", "listed", "optimal"),
        ("a", "shared", "listed", "optimal"),
        ("c", "c-9", "fallback", "optimal"),
        ("a", "a-1", "default", "simple"),
        ("b", "b-1", "emergency", "emergency"),
        ("c", "shared", "emergency", "emergency"),
    ]


def test_an_unknown_model_without_a_default_is_not_found() -> None:
    with pytest.raises(ApiError) as caught:
        candidates(Config(providers=(A,)), "gpt-zzz")
    error = caught.value
    assert (error.status, error.type, error.param, error.code) == (
        404,
        "not_found_error",
        "model",
        "model_not_found",
    )
    assert "gpt-zzz" in error.message
    assert "router.default" in error.message


def test_fallbacks_alone_serve_nothing() -> None:
    config = Config(providers=(C,), router=Router(fallbacks=(ModelTarget("c"),)))
    with pytest.raises(ApiError):
        candidates(config, "gpt-zzz")


def test_spellings_begin_with_the_name_itself() -> None:
    assert spellings("m-20250929") == ("m-20250929", "m")
    assert spellings("m") == ("m",)
    assert plain_name(" claude-ucr/x[1m] ") == "x"


@given(st.text(max_size=40))
@settings(max_examples=60)
def test_any_name_is_served_while_a_default_exists(model: str) -> None:
    chosen = candidates(CONFIG, model)
    assert chosen
    assert len({(c.provider.id, c.model) for c in chosen}) == len(chosen)
    assert all(c.provider.enabled for c in chosen)


RULE = Claim("rules", "cheap", (ModelTarget("b", "b-cheap"), ModelTarget("a")))
TASK = Claim("task", "think", (ModelTarget("c", "c-deep"),))
OF_NOBODY = Claim("rules", "off", (ModelTarget("off"),))


@pytest.mark.parametrize(
    ("model", "claims", "expected"),
    [
        pytest.param(
            "fast", (RULE, TASK), [("b", "b-small", "alias"), ("c", "fast", "alias")], id="alias-first"
        ),
        pytest.param("b/x", (RULE, TASK), [("b", "x", "provider")], id="provider-first"),
        pytest.param(
            "shared", (TASK, RULE), [("b", "b-cheap", "cheap"), ("a", "a-1", "cheap")], id="rules-next"
        ),
        pytest.param("shared", (TASK,), [("c", "c-deep", "think")], id="then-the-task"),
        pytest.param("zzz", (OF_NOBODY, TASK), [("c", "c-deep", "think")], id="a-rule-of-nobody"),
        pytest.param(
            "shared", (OF_NOBODY,), [("b", "shared", "listed"), ("a", "shared", "listed")], id="listed"
        ),
    ],
)
def test_claims_stand_between_a_named_provider_and_the_lists(
    model: str, claims: tuple[Claim, ...], expected: list[tuple[str, str, str]]
) -> None:
    chosen = [(c.provider.id, c.model, c.route) for c in candidates(CONFIG, model, claims)]
    assert chosen == [*expected, FALLBACK]


def test_the_trail_ends_at_the_step_that_decides() -> None:
    steps = trail(CONFIG, "shared", (OF_NOBODY, TASK))
    assert [(s.step, s.targets, s.is_decisive) for s in steps] == [
        ("alias", (), False),
        ("provider", (), False),
        ("rules", OF_NOBODY.targets, False),
        ("task", TASK.targets, True),
    ]


def test_the_trail_of_a_model_of_nobody_has_every_step() -> None:
    steps = trail(Config(providers=(C,)), "m")
    assert tuple(step.step for step in steps) == STEPS
    assert not any(step.is_decisive for step in steps)


def test_the_target_of_a_candidate_is_made_once_and_knows_its_model() -> None:
    first = plan(CONFIG, "fast")[0]
    assert first.target is first.target
    assert (first.target.provider, first.target.model, first.target.base_url) == ("b", "b-small", B.base_url)
    assert first.target.profile is first.target.profile


TIER_ORDER = {tier: number for number, tier in enumerate(TIERS)}
PROVIDERS = ("p", "q", "r", "s")
MODELS = ("m", "n", "claude-sonnet-4-5")
TARGETS = st.lists(
    st.builds(ModelTarget, st.sampled_from(PROVIDERS), st.none() | st.sampled_from(MODELS)), max_size=3
).map(tuple)


ROUTES = st.dictionaries(st.sampled_from(TASKS), TARGETS, max_size=3)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    providers = tuple(
        provider(
            name,
            default_model=draw(st.none() | st.sampled_from(MODELS)),
            models=tuple(draw(st.lists(st.sampled_from(MODELS), max_size=2))),
            priority=draw(st.integers(0, 2)),
            enabled=draw(st.booleans()),
        )
        for name in draw(st.lists(st.sampled_from(PROVIDERS), unique=True))
    )
    aliases = draw(st.dictionaries(st.sampled_from(("fast", "m")), TARGETS, max_size=2))
    router = Router(default=draw(TARGETS), fallbacks=draw(TARGETS), tasks=draw(ROUTES))
    return Config(providers=providers, models=aliases, router=router)


@given(configs(), st.sampled_from(("m", "fast", "p/m", "claude-sonnet-4-5-20250929", "zzz")))
@settings(max_examples=50)
def test_a_plan_begins_with_the_candidates_and_asks_every_enabled_provider_once_for_a_model(
    config: Config, model: str
) -> None:
    try:
        chosen = candidates(config, model)
    except ApiError:
        with pytest.raises(ApiError):
            plan(config, model)
        return
    planned = plan(config, model)
    optimal = [c for c in planned if c.tier == "optimal"]
    assert planned[: len(chosen)] == tuple(optimal)
    assert [(c.provider, c.model, c.route) for c in optimal] == [(c.provider, c.model, c.route) for c in chosen]
    assert [TIER_ORDER[c.tier] for c in planned] == sorted(TIER_ORDER[c.tier] for c in planned)
    assert len({(c.provider.id, c.model) for c in planned}) == len(planned)
    assert {c.provider.id for c in planned} == {p.id for p in config.providers if p.enabled}


@given(configs())
@settings(max_examples=40)
def test_the_last_tier_goes_by_priority(config: Config) -> None:
    try:
        last = [c.provider.priority for c in plan(config, "m") if c.tier == "emergency"]
    except ApiError:
        return
    assert last == sorted(last, reverse=True)
