from typing import Any

import pytest

from actors import PoolTransport
from tests.world import answers, probed
from tests.world.answers import anthropic_event
from tests.world.router import ROUTER, config_of, open_router, provider
from ucr.config.model import Config
from ucr.probe.card import Results, config_for, passed
from ucr.probe.checks import CHECKS, Seen
from ucr.probe.run import Prober
from ucr.stress.upstream import Handler

NAMES = [check.name for check in CHECKS]


def config(dialect: str = "anthropic") -> Config:
    one = provider("up", dialect)
    return config_for(config_of(one), one)


async def probe(handler: Handler, dialect: str = "anthropic") -> Results:
    async with open_router(config(dialect), up=handler) as world:
        transport = PoolTransport(world.network)
        results = await Prober(transport, f"http://{ROUTER[0]}:{ROUTER[1]}", "up/m").run()
        await transport.aclose()
        return results


def seen(results: Results) -> dict[str, Seen]:
    return {check.name: found for check, found in results}


async def test_who_can_do_everything_passes_every_check(autojump_clock: object) -> None:
    results = await probe(probed.able())
    assert [check.name for check, _ in results] == NAMES
    assert {name: found.verdict for name, found in seen(results).items()} == dict.fromkeys(NAMES, "works")
    assert passed(results)


REFUSED = (400, probed.REFUSAL)
SILENT = (200, answers.anthropic_reply("I see nothing."))


@pytest.mark.parametrize(
    ("name", "reply", "verdict"),
    [
        ("tools", REFUSED, "lacks"),
        ("tools", SILENT, "lacks"),
        ("parallel tools", REFUSED, "lacks"),
        ("parallel tools", probed.replies()["tools"], "unclear"),
        ("tool results", REFUSED, "lacks"),
        ("thinking", REFUSED, "lacks"),
        ("thinking", SILENT, "lacks"),
        ("images", REFUSED, "lacks"),
        ("images", SILENT, "unclear"),
        ("images in tool results", REFUSED, "lacks"),
        ("error shapes", SILENT, "unclear"),
    ],
)
async def test_what_somebody_lacks_is_found_and_nothing_else(
    name: str, reply: tuple[int, dict[str, Any]], verdict: str, autojump_clock: object
) -> None:
    results = await probe(probed.able({name: reply}))
    assert {key: found.verdict for key, found in seen(results).items() if found.verdict != "works"} == {
        name: verdict
    }
    assert passed(results)


async def test_an_answer_without_its_usage_is_found(autojump_clock: object) -> None:
    reply = answers.anthropic_reply("ok") | {"usage": {}}
    results = await probe(probed.able({"text": (200, reply)}))
    assert seen(results)["usage"].verdict == "lacks"


GOOD = answers.anthropic_text("o", "k")
TEXT = {"type": "text_delta", "text": "x"}


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        ([*GOOD[:2], *GOOD[2:4], *GOOD[5:]], "message_delta while a block is open"),
        ([GOOD[0], *GOOD[2:]], "text_delta outside of a block"),
        ([*GOOD[:3], anthropic_event("content_block_delta", index=7, delta=TEXT), *GOOD[3:]], "for block 7"),
    ],
)
async def test_a_fault_of_grammar_that_passes_through_is_found(
    stream: list[bytes], words: str, autojump_clock: object
) -> None:
    results = await probe(probed.able(stream=stream))
    assert seen(results)["stream order"].verdict == "fails"
    assert words in seen(results)["stream order"].words
    assert not passed(results)


async def test_a_stream_that_breaks_off_is_found(autojump_clock: object) -> None:
    results = await probe(probed.able(stream=GOOD[:3]))
    assert seen(results)["stream order"].verdict == "fails"


async def test_a_key_that_is_refused_ends_the_probe(autojump_clock: object) -> None:
    refused = answers.says(401, {"type": "error", "error": {"type": "authentication_error", "message": "bad"}})
    results = await probe(refused)
    assert [(check.name, found.verdict) for check, found in results] == [("text", "fails")]
    assert "403" in results[0][1].words
    assert not passed(results)


async def test_who_does_not_answer_fails_in_time(autojump_clock: object) -> None:
    results = await probe(answers.never())
    assert [(found.verdict, found.words) for _, found in results] == [("fails", "no whole answer within 120 s")]


async def test_a_provider_of_another_dialect_is_probed_through_the_translation(autojump_clock: object) -> None:
    results = await probe(answers.says(200, answers.chat_reply("ok")), "openai-chat")
    verdicts = {name: found.verdict for name, found in seen(results).items()}
    assert (verdicts["text"], verdicts["usage"], verdicts["tools"]) == ("works", "works", "lacks")
    assert verdicts["count_tokens"] == "works"
