from typing import Any

import pytest
from msgspec import structs

from tests.world.router import provider
from ucr.badge import Badge
from ucr.dialects.beginnings import Beginning
from ucr.dialects.prompt import Prompt
from ucr.dialects.roles import Request
from ucr.dialects.toolset import Toolset
from ucr.exchange import Exchange
from ucr.repeats import KEPT_LIMIT, LARGEST_BYTES, WORDS_CHARS, Repeat, Repeats
from ucr.routing import Candidate

CHOICES = (Candidate(provider("up", "anthropic"), "claude-x", "default"),)
HEADERS = {"host": "a", "x-api-key": "secret-of-a-client", "content-length": "17"}
CONFIG = object()
RAW = b'{"a": "question"}'


class Head:
    """As much of an exchange as is looked at."""

    def __init__(self, badge: Badge | None = None, **changes: Any) -> None:
        self.badge = badge or Badge()
        self.method, self.path, self.query, self.headers = "POST", "/v1/messages", "", HEADERS
        for name, value in changes.items():
            setattr(self, name, value)


def head(badge: Badge | None = None, **changes: Any) -> Exchange:
    return Head(badge, **changes)  # type: ignore[return-value]


def repeat(raw: bytes = RAW, **changes: Any) -> Repeat:
    asked = Request("anthropic", raw, {"a": "question"}, "claude-x", False, HEADERS, "session")
    return Repeat(structs.replace(asked, **changes), CHOICES, b"k" * 32, (), len(raw))


def knowing(*repeats: Repeat) -> Repeats:
    made = Repeats(b"s" * 32)
    for one in repeats or (repeat(),):
        made.remember(CONFIG, head(), one)
    return made


def test_a_request_that_comes_again_is_known_on_any_connection() -> None:
    found = knowing().find(CONFIG, head(), RAW)
    assert found is not None
    assert (found.key, found.choices) == (b"k" * 32, CHOICES)
    assert (found.request.model, found.request.session_id) == ("claude-x", "session")


def test_one_that_is_remembered_again_and_again_makes_no_other_forgotten() -> None:
    repeats = knowing(repeat(), repeat(b"another"))
    for _ in range(KEPT_LIMIT):
        repeats.remember(CONFIG, head(), repeat(b"another"))
    assert repeats.find(CONFIG, head(), RAW) is not None
    assert repr(repeats) == "<Repeats: 2>"


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {**HEADERS, "x-api-key": "another"}},
        {"headers": {**HEADERS, "cache-control": "no-store"}},
        {"headers": {"host": "a"}},
        {"path": "/v1/chat/completions"},
        {"query": "beta=true"},
        {"method": "PUT"},
    ],
)
def test_another_head_is_another_request(changes: dict[str, Any]) -> None:
    assert knowing().find(CONFIG, head(**changes), RAW) is None


@pytest.mark.parametrize("raw", [b'{"a": "Question"}', RAW + b" ", b""])
def test_another_body_is_another_request(raw: bytes) -> None:
    assert knowing().find(CONFIG, head(), raw) is None


def test_what_was_found_out_holds_for_one_configuration() -> None:
    repeats = knowing()
    assert repeats.find(object(), head(), RAW) is None
    later = object()
    repeats.remember(later, head(), repeat())
    assert repeats.find(CONFIG, head(), RAW) is None
    assert repeats.find(later, head(), RAW) is not None


def test_a_head_is_digested_once_and_the_length_of_the_body_is_no_part_of_it() -> None:
    badge = Badge()
    repeats = knowing()
    assert repeats.find(CONFIG, head(badge, headers={**HEADERS, "content-length": "9"}), RAW) is not None
    assert len(badge.mark) == 32
    assert repeats.find(CONFIG, head(badge, headers={}), RAW) is not None


def test_neither_the_head_nor_the_body_is_kept_nor_what_was_read_of_it() -> None:
    beginning, toolset = Beginning(RAW, [{"role": "user", "content": "a"}], RAW), Toolset(b"[]", [])
    prompt = Prompt(b"[]", [])
    found = knowing(repeat(beginning=beginning, toolset=toolset, prompt=prompt)).find(CONFIG, head(), RAW)
    assert found is not None
    assert (found.request.raw, found.request.body, found.request.headers) == (b"", {}, {})
    assert (found.request.beginning, found.request.toolset, found.request.prompt) == (None, None, None)


def test_what_is_kept_is_bounded_by_number_and_by_size() -> None:
    raws = [b"%d" % number for number in range(KEPT_LIMIT)]
    repeats = knowing(*map(repeat, raws))
    assert all(repeats.find(CONFIG, head(), raw) is not None for raw in raws)
    assert repr(repeats) == f"<Repeats: {KEPT_LIMIT}>"
    repeats.remember(CONFIG, head(), repeat(b"one more"))
    assert repr(repeats) == "<Repeats: 1>"
    assert [repeats.find(CONFIG, head(), raw) is None for raw in (raws[0], b"one more")] == [True, False]


@pytest.mark.parametrize(
    "changes",
    [{"model": "m" * WORDS_CHARS}, {"session_id": "s" * WORDS_CHARS}, {"agent_id": "a" * WORDS_CHARS}],
)
def test_long_names_are_not_kept(changes: dict[str, Any]) -> None:
    assert knowing(repeat(**changes)).find(CONFIG, head(), RAW) is None


def test_a_large_body_is_not_digested() -> None:
    large = b"." * (LARGEST_BYTES + 1)
    assert knowing(repeat(large)).find(CONFIG, head(), large) is None
    assert knowing(repeat(large[1:])).find(CONFIG, head(), large[1:]) is not None
