import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from actors import PoolTransport
from tests.world import answers
from tests.world.router import ROUTER, config_of, open_router, provider
from ucr.config.model import Config, Provider
from ucr.probe.card import Results, config_for
from ucr.probe.cards import CARDS, Card, card_of, kept_with, laid_over, place_of, read_cards, written
from ucr.probe.checks import CHECKS, RED_PNG, Seen
from ucr.probe.run import Prober
from ucr.quirks import Quirks
from ucr.shape import fits
from ucr.stress.upstream import Answer, SeenRequest

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
URL = "https://up.test/v1"
UP = Provider("up", "openai-chat", URL)
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": RED_PNG}}
ASKED = {"model": "up/m", "max_tokens": 9, "messages": [{"role": "user", "content": [IMAGE]}]}


def card(model: str = "v/m", **checks: str) -> Card:
    return Card("up", model, URL, "2026-03-01T12:00:00Z", {"text": "works", **checks})


def laid(cards: tuple[Card, ...], one: Provider = UP) -> Provider:
    return laid_over(Config(providers=(one,)), cards).providers[0]


def test_a_card_keeps_verdicts_and_nothing_that_was_said() -> None:
    seen = {"text": Seen("works", "'a secret'"), "images": Seen("lacks", "400: no", True)}
    seen["thinking"] = Seen("lacks", "an answer without thinking")
    results = tuple((check, seen[check.name]) for check in CHECKS if check.name in seen)
    found = card_of(replace(UP, base_url="https://me:pass@up.test/v1/?key=k"), "m", results, NOW)
    assert found == Card(
        "up", "m", URL, "2026-03-01T12:00:00Z", {"text": "works", "thinking": "lacks", "images": "refused"}
    )
    assert found is not None
    assert read_cards(written((found,))) == (found,)


def test_of_who_does_not_answer_there_is_no_card() -> None:
    assert card_of(UP, "m", ((CHECKS[0], Seen("fails", "500: broken")),), NOW) is None


def test_a_base_url_is_kept_without_what_is_secret() -> None:
    assert place_of("http://a:b@127.0.0.1:9/v1/?k=v#f") == "http://127.0.0.1:9/v1"


def test_of_many_cards_the_newest_are_kept_and_one_about_each() -> None:
    cards: tuple[Card, ...] = ()
    for number in range(CARDS + 2):
        cards = kept_with(cards, card(f"m{number}"))
    assert (len(cards), cards[0].model) == (CARDS, "m2")
    again = kept_with(cards, card("m2", images="works"))
    assert (len(again), again[0].model, again[-1].checks["images"]) == (CARDS, "m3", "works")


@pytest.mark.parametrize(
    "tree",
    [
        7,
        {},
        {"cards": {}},
        {"cards": [7]},
        {"cards": [{"provider": "up"}]},
        {"cards": [{"provider": "up", "model": "m", "base_url": URL, "at": "", "checks": []}]},
        {"cards": [{"provider": "up", "model": 7, "base_url": URL, "at": "", "checks": {}}]},
        {"cards": [{"provider": "up", "model": "\x1b[2J", "base_url": URL, "at": "", "checks": {}}]},
        {"cards": [{"provider": "up", "model": "m", "base_url": URL, "at": "", "checks": {"text": []}}]},
        {"cards": [7] * (CARDS + 1)},
    ],
)
def test_what_is_no_card_is_damage(tree: Any) -> None:
    with pytest.raises(ValueError, match="holds"):
        read_cards(json.dumps(tree).encode())
    with pytest.raises(ValueError, match="is no JSON"):
        read_cards(b"{")


def test_a_model_that_refuses_images_is_not_thought_to_take_them() -> None:
    found = laid((card(images="refused"),))
    assert not fits(found, "v/m", ASKED)
    assert fits(found, "v/m2", ASKED)
    assert found.cards == ("v/m of 2026-03-01T12:00:00Z: takes no images",)


def test_a_model_that_sees_is_shown_images_whatever_the_catalogue_says() -> None:
    shy = replace(UP, quirks=Quirks(text_models=("m*",)))
    found = laid((card("m-[eye]*", images="works"),), shy)
    assert found.quirks.takes_images("m-[eye]*")
    assert not found.quirks.takes_images("m-e")
    assert found.cards == ("m-[eye]* of 2026-03-01T12:00:00Z: takes images",)
    assert laid((card(images="works"),), replace(UP, quirks=Quirks(images=False))).quirks.takes_images("m")


def test_a_model_that_refuses_to_think_is_not_asked_to() -> None:
    found = laid((card(thinking="refused"), card("a=b", thinking="refused")))
    assert [found.quirks.efforts_for(name) for name in ("v/m", "a=b")] == [(), ()]
    assert found.quirks.efforts_for("other")
    assert found.cards[0].endswith(": is not asked to think")


@pytest.mark.parametrize("check", ["images", "thinking"])
@pytest.mark.parametrize("verdict", ["lacks", "unclear", "fails"])
def test_what_is_not_certain_changes_nothing(check: str, verdict: str) -> None:
    found = laid((card(**{check: verdict}),))
    assert found.quirks == UP.quirks
    assert found.cards[0].endswith(": nothing that is not known already")


@pytest.mark.parametrize("key", ["images", "text_models", "image_models"])
def test_what_the_file_says_of_images_stays(key: str) -> None:
    found = laid((card(images="refused", thinking="refused"),), replace(UP, written=frozenset({key})))
    assert found.quirks.takes_images("m")
    assert found.cards[0].endswith("Z: is not asked to think")


@pytest.mark.parametrize("key", ["reasoning", "efforts", "model_efforts"])
def test_what_the_file_says_of_thinking_stays(key: str) -> None:
    found = laid((card(images="refused", thinking="refused"),), replace(UP, written=frozenset({key})))
    assert found.quirks.efforts_for("m")
    assert found.cards[0].endswith("Z: takes no images")


def test_a_card_of_another_base_url_is_ignored_with_a_warning_and_one_of_nobody_in_silence() -> None:
    moved = replace(card(images="refused"), base_url="https://old.test")
    config = laid_over(Config(providers=(UP,)), (moved, replace(moved, provider="gone")))
    assert config.providers == (UP,)
    (warning,) = config.warnings
    assert "card of up/v/m was taken at https://old.test and is ignored" in warning


async def blind(request: SeenRequest, answer: Answer) -> None:
    """Answer like a server of chat completions whose model takes no images."""
    refusal = {"error": {"message": "this model takes no images", "type": "invalid_request_error"}}
    is_shown = b"image_url" in request.body
    reply = answers.says(400, refusal) if is_shown else answers.says(200, answers.chat_reply("ok"))
    await reply(request, answer)


async def probed(one: Provider) -> Results:
    async with open_router(config_for(config_of(one), one), up=blind) as world:
        transport = PoolTransport(world.network)
        results = await Prober(transport, f"http://{ROUTER[0]}:{ROUTER[1]}", "up/m").run()
        await transport.aclose()
    return results


async def test_what_a_probe_saw_is_what_the_router_goes_by(autojump_clock: object) -> None:
    one = provider("up", "openai-chat")
    kept = card_of(one, "m", await probed(one), NOW)
    assert kept is not None
    config = laid_over(config_of(one), read_cards(written((kept,))))
    async with open_router(config, up=blind) as world:
        heard = await world.ask("/v1/messages", ASKED)
        assert heard.status == 400
        assert "this model takes no images" not in heard.body.decode()
        assert not world.upstreams["up"].requests
        (told,) = (await world.ask("/v1/providers", method="GET")).json()["data"]
        assert told["cards"] == ["m of 2026-03-01T12:00:00Z: takes no images"]
