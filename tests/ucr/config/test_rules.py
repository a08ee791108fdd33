import pytest

from ucr.config.load import load
from ucr.config.model import Config, ModelTarget
from ucr.config.rule_model import FieldTest, HeaderTest, Rewrite, Rule, Setting, Span, Weight, When
from ucr.config.rules import at_of
from ucr.errors import ConfigError

HEAD = """\
[[providers]]
id = "local"
dialect = "openai-chat"
base_url = "http://127.0.0.1:9101/v1"

[[providers]]
id = "off"
enabled = false

[router]
default = ["local/m"]
"""


def loaded(more: str) -> Config:
    return load(f"{HEAD}\n{more}", "ucr.toml", {"TEAM": "red"})


def problems(more: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(more)
    return [str(problem).removeprefix("ucr.toml: ") for problem in caught.value.problems]


def rule(more: str) -> Rule:
    (only,) = loaded(f'[[router.rules]]\nname = "r"\n{more}').router.rules
    return only


def test_everything_that_a_rule_may_hold_is_read() -> None:
    text = """
    when.model = "claude-haiku-*"
    when.dialect = ["anthropic", "openai-*"]
    when.client = "ci"
    when.headers = { "X-Team" = "${TEAM}*", "x-debug" = false }
    when.body = { "metadata.user_id" = "u-*", max_tokens = { greater = 8000 } }
    when.tokens = { greater = 10, less = 50000 }
    when.time = { from = "22:00", to = "06:00", days = ["mon"], zone = "Europe/Vienna" }
    to = ["local", "local/n"]
    rewrite = { set = { max_tokens = 5, "thinking.type" = "disabled" }, remove = ["temperature"] }
    """
    assert rule(text) == Rule(
        "r",
        When(
            ("claude-haiku-*",),
            ("anthropic", "openai-*"),
            ("ci",),
            (HeaderTest("x-team", ("red*",)), HeaderTest("x-debug", exists=False)),
            (
                FieldTest(("metadata", "user_id"), "like", ("u-*",)),
                FieldTest(("max_tokens",), "greater", 8000.0),
            ),
            10,
            50000,
            Span(22 * 60, 6 * 60, (0,), "Europe/Vienna"),
        ),
        (ModelTarget("local"), ModelTarget("local", "n")),
        (),
        Rewrite(
            None, (Setting(("max_tokens",), 5), Setting(("thinking", "type"), "disabled")), (("temperature",),)
        ),
    )


def test_the_other_destinations_are_read() -> None:
    assert rule('route = "default"').targets == (ModelTarget("local", "m"),)
    assert rule("weights = { local = 9, 'local/n' = 1 }").weights == (
        Weight(ModelTarget("local"), 9.0),
        Weight(ModelTarget("local", "n"), 1.0),
    )
    assert rule('rewrite.model = "m"').rewrite == Rewrite("m")


def test_a_span_has_the_whole_day_unless_it_is_said() -> None:
    assert rule('when.time = { days = ["sun"] }\nto = "local"').when.time == Span(days=(6,))
    assert rule('when.time = { from = "18:00" }\nto = "local"').when.time == Span(18 * 60)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param('to = "local"\nroute = "default"', "route: stands beside to", id="two-destinations"),
        pytest.param("", ": has no effect; write to, route, weights or rewrite", id="nothing"),
        pytest.param('to = "nobody"', "there is no provider 'nobody'", id="unknown-provider"),
        pytest.param("weights = { nobody = 1 }", "there is no provider 'nobody'", id="unknown-weighted"),
        pytest.param('route = "defualt"', "did you mean 'default'?", id="unknown-route"),
        pytest.param('route = "background"', "router.background is not set", id="unset-route"),
        pytest.param('to = "local"\nwhen.dialect = "anthropc"', "fits no protocol", id="unknown-dialect"),
        pytest.param('to = "local"\nwhen.modle = "x"', "did you mean 'model'?", id="unknown-condition"),
        pytest.param('to = "local"\nwhen.tokens = { greater = 9, less = 10 }', "no size is", id="no-size"),
        pytest.param(
            'to = "local"\nwhen.time = { from = "9:00", to = "9:00" }', "is the same time", id="no-span"
        ),
        pytest.param(
            'to = "local"\nwhen.time.zone = "X/Y"', "time.zone = 'X/Y': must be a time zone", id="zone"
        ),
        pytest.param("rewrite = {}", "rewrite: is empty", id="empty-rewrite"),
        pytest.param("rewrite = { set = { stream = true } }", "cannot be changed", id="closed-field"),
        pytest.param('to = "local"\nrewrite.model = "m"', "is of no use here", id="model-and-target"),
    ],
)
def test_what_is_wrong_is_told_with_a_remedy(text: str, problem: str) -> None:
    told = problems(f'[[router.rules]]\nname = "r"\n{text}')
    assert len(told) == 1
    assert told[0].startswith("router.rules.r")
    assert problem in told[0]


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = '[[router.rules]]\nto = "local"\nwhat = 1\n[[router.rules]]\nname = "a"\nto = 1\nwhen.body = 7'
    assert [line.partition(":")[0].partition(" ")[0] for line in problems(text)] == [
        "router.rules[0].what",
        "router.rules[0].name",
        "router.rules.a.to",
        "router.rules.a.when.body",
    ]


def test_a_name_stands_once() -> None:
    text = '[[router.rules]]\nname = "a"\nto = "local"\n' * 2
    assert problems(text) == ["router.rules = 'a': this name is used twice; give each rule its own"]


def test_a_target_that_is_switched_off_is_warned_of() -> None:
    config = loaded('[[router.rules]]\nname = "a"\nto = "off"')
    assert any("router.rules.a names the provider 'off'" in words for words in config.warnings)


def test_without_rules_there_are_none() -> None:
    assert loaded("").router.rules == ()
    assert at_of({}, 3) == "router.rules[3]"
