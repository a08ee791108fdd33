import pytest

from tests.world import answers
from tests.world.probed import CALL, ask_of
from ucr.probe.checks import CHECKS, NEEDED, Heard

BY_NAME = {check.name: check for check in CHECKS}


def test_each_check_asks_for_something_of_its_own() -> None:
    assert BY_NAME.keys() >= NEEDED
    asked = {name: ask_of(check.body, check.path) for name, check in BY_NAME.items()}
    assert asked == {**{name: name for name in BY_NAME}, "usage": "text"}


@pytest.mark.parametrize(
    ("name", "heard", "verdict", "words"),
    [
        ("text", Heard(0, {}, words="ConnectError: x"), "fails", "ConnectError"),
        ("text", Heard(200, {"content": [], "stop_reason": "end_turn"}), "fails", "without text"),
        ("text", Heard(200, answers.anthropic_reply() | {"stop_reason": None}), "fails", "stop_reason"),
        ("text", Heard(404, {"error": {"message": "no such model"}}), "fails", "404: no such model"),
        ("usage", Heard(500, {}), "fails", "500"),
        ("stream order", Heard(400, {}), "fails", "400"),
        ("tools", Heard(500, {}), "fails", "500"),
        ("tools", Heard(200, {"content": [{**CALL, "input": "x"}]}), "fails", "a call that is none"),
        ("tools", Heard(200, {"content": [CALL], "stop_reason": "end_turn"}), "fails", "'end_turn'"),
        (
            "tools",
            Heard(200, {"content": [{**CALL, "input": {}}], "stop_reason": "tool_use"}),
            "unclear",
            "called with {}",
        ),
        ("tool results", Heard(200, {"content": []}), "fails", "''"),
        ("count_tokens", Heard(200, {"input_tokens": "x"}), "fails", "no number: 'x'"),
        ("count_tokens", Heard(503, {}), "fails", "503"),
        ("cancel", Heard(500, {}), "fails", "500"),
        ("error shapes", Heard(500, {"error": {"type": "api_error", "message": "x"}}), "fails", "500: x"),
        ("error shapes", Heard(400, {"error": "x"}), "fails", "without words"),
    ],
)
def test_what_is_wrong_with_an_answer_is_told(name: str, heard: Heard, verdict: str, words: str) -> None:
    seen = BY_NAME[name].judge(heard)
    assert seen.verdict == verdict
    assert words in seen.words
