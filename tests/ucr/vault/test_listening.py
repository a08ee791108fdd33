"""A gatherer that hears answers on their way."""

import json
from typing import Any

import pytest

from tests.world.stateful import REPLIES, streamed
from ucr.catalogue import Quirks
from ucr.dialects.openai_chat.provider import OpenAIChatProvider
from ucr.dialects.roles import Context
from ucr.vault.gathering import Gatherer
from ucr.vault.listening import ListeningDecoder, ListeningTap, overhear

CHAT = OpenAIChatProvider()
CONTEXT = Context("up", "asked", "used", True, Quirks(reasoning_history="reasoning_content"))
STREAM = b"".join(streamed("deepseek", REPLIES["deepseek"](1)))
ID = "call_deepseek_1"


def gathering() -> tuple[Gatherer, dict[str, bytes]]:
    kept: dict[str, bytes] = {}
    return Gatherer(lambda id_, state: kept.setdefault(id_, state)), kept


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_tap_gives_what_it_gave_before_and_the_gatherer_hears_it(step: int) -> None:
    gatherer, kept = gathering()
    plain = CHAT.tap(CONTEXT, strict=False)
    tap = ListeningTap(CHAT.tap(CONTEXT, strict=False), CHAT.decoder(CONTEXT), gatherer)
    pieces = [STREAM[at : at + step] for at in range(0, len(STREAM), step)]
    assert [tap.feed(piece) for piece in pieces] == [plain.feed(piece) for piece in pieces]
    assert tap.close() == plain.close()
    for name in (
        "is_committed",
        "is_at_boundary",
        "is_finishing",
        "is_finished",
        "failure",
        "content",
        "summary",
    ):
        assert getattr(tap, name) == getattr(plain, name)
    assert list(kept) == [ID]
    assert b"STATEofdeepseek" in kept[ID]


def test_a_stream_that_breaks_off_leaves_nothing() -> None:
    gatherer, kept = gathering()
    tap = ListeningTap(CHAT.tap(CONTEXT, strict=False), CHAT.decoder(CONTEXT), gatherer)
    tap.feed(STREAM[: len(STREAM) // 2])
    assert tap.close()
    assert tap.failure is not None
    assert kept == {}


def test_what_the_decoder_cannot_read_is_the_taps_business() -> None:
    class Deaf:
        is_finishing = False

        def feed(self, data: bytes) -> list[Any]:
            raise CHAT.decode_error(500, {}, b"", CONTEXT)

        def close(self) -> list[Any]:
            raise AssertionError("it is not asked again")

    gatherer, kept = gathering()
    tap = ListeningTap(CHAT.tap(CONTEXT, strict=False), Deaf(), gatherer)
    assert tap.feed(STREAM) == CHAT.tap(CONTEXT, strict=False).feed(STREAM)
    assert tap.is_finished and tap.failure is None and kept == {}
    assert tap.open_early("m") == CHAT.tap(CONTEXT, strict=False).open_early("m")


def test_a_decoder_gives_its_events_and_the_gatherer_hears_them() -> None:
    gatherer, kept = gathering()
    plain = CHAT.decoder(CONTEXT)
    decoder = ListeningDecoder(CHAT.decoder(CONTEXT), gatherer)
    assert decoder.feed(STREAM) == plain.feed(STREAM)
    assert decoder.close() == plain.close()
    assert decoder.is_finishing == plain.is_finishing
    assert list(kept) == [ID]


def test_a_whole_answer_is_overheard_unless_it_cannot_be_read() -> None:
    gatherer, kept = gathering()
    overhear(gatherer, CHAT, b"{", CONTEXT)
    assert kept == {}
    overhear(gatherer, CHAT, json.dumps(REPLIES["deepseek"](1)).encode(), CONTEXT)
    assert list(kept) == [ID]
