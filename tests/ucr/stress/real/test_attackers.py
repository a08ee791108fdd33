import pytest

from ucr.stress.attacks.wire import HIDDEN, MARK, Attack
from ucr.stress.real.attackers import PROVIDER_KEY, Case, Tally, cases, wrong_answer, wrong_words
from ucr.stress.real.load import Answer
from ucr.stress.real.report import Report

REFUSED = b"HTTP/1.1 400 Bad\r\ncontent-length: 2\r\n\r\nno"
FAULT = Attack(HIDDEN, is_fault=True)


def answer(body: bytes, status: int = 500, *, whole: bool = True) -> Answer:
    return Answer(status, {}, bytearray(body), 1.0, whole)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer(b"{}", 200), ""),
        (answer(b'{"type": "error", "error": {}}'), ""),
        (answer(b"", whole=False), "cut off"),
        (answer(PROVIDER_KEY.encode(), 200), "holds"),
        (answer(b"Traceback", 500), "500"),
        (answer(b'{"error": {}}'), "shape"),
    ],
)
def test_an_answer_to_a_fault_is_whole_in_its_shape_and_holds_no_secret(said: Answer, words: str) -> None:
    wrong = wrong_answer(said, "/v1/messages")
    assert wrong.startswith(words) and bool(wrong) is bool(words)


@pytest.mark.parametrize(
    ("received", "is_ended", "words"),
    [
        (REFUSED, True, ""),
        (REFUSED, False, "the connection was left open"),
        (REFUSED + REFUSED, True, "[400, 400]: a hidden request was answered"),
        (REFUSED.replace(b"2\r\n\r\nno", b"8\r\n\r\n" + MARK), True, "[400]: a hidden request"),
        (b"", True, "no answer"),
        (REFUSED.replace(b"400 Bad", b"200 OK"), True, "200, not"),
    ],
)
def test_an_attack_is_answered_once_refused_and_the_connection_ended(
    received: bytes, is_ended: bool, words: str
) -> None:
    wrong = wrong_words(received, is_ended, FAULT)
    assert wrong.startswith(words) and bool(wrong) is bool(words)


def test_each_fault_meets_both_dialects_and_the_short_form_leaves_out_large_ones_only() -> None:
    full, short = set(cases(False)), set(cases(True))
    assert {case.dialect for case in full} == {"anthropic", "openai-chat"}
    assert {case.fault for case in full - short} == {
        "bomb",
        "json",
        "endless",
        "head-endless",
        "flood",
        "redirect",
    }
    assert Case("reset", "anthropic", True) in short


def test_what_went_wrong_is_counted_and_noted() -> None:
    lines: list[str] = []
    tally = Tally(Report(False, lines.append))
    tally.see("a case", "")
    tally.see("another", "cut off")
    assert (tally.wrong, lines) == (["another: cut off"], ["     another: cut off"])
