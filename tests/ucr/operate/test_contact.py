"""Providers that are broken on purpose, each in one way, and what is found of them."""

import json
from dataclasses import replace
from typing import Any

import pytest
import trio

from ucr.config.model import Provider
from ucr.operate.contact import Contact, contacted, list_path, listed, said
from ucr.quirks import Quirks
from ucr.secret import Secret
from ucr.stress.network import Fault, Hang, MemoryNetwork, Refuse, Unresolved
from ucr.stress.upstream import Answer, Handler, SeenRequest, Upstream

NOW = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
KEY = "sk-very-secret"


def up(**other: Any) -> Provider:
    facts: dict[str, Any] = {"api_keys": (Secret(KEY),), **other}
    return Provider("up", facts.pop("dialect", "openai-chat"), "http://up.test/v1", **facts)


def says(status: int, value: object, date: str = DATE) -> Handler:
    body = json.dumps(value).encode()

    async def answer(_request: SeenRequest, answer: Answer) -> None:
        await answer.head(status, (("content-length", str(len(body))), ("date", date)))
        await answer.raw(body)

    return answer


async def asked(provider: Provider, *handlers: Handler, fault: Fault | None = None) -> tuple[Contact, Upstream]:
    network, upstream = MemoryNetwork(), Upstream(*handlers)
    listener = network.listener("up.test", 80)
    network.afflict("up.test", 80, fault)
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, upstream.serve, [listener])
        contact = await contacted(provider, network, lambda: NOW)
        nursery.cancel_scope.cancel()
    return contact, upstream


MODELS = {"data": [{"id": "m1"}, {"id": "m2"}]}


async def test_a_provider_that_is_well_lists_its_models(autojump_clock: object) -> None:
    contact, upstream = await asked(up(default_model="m2"), says(200, MODELS))
    (finding,) = contact.findings
    assert (finding.verdict, finding.words) == ("ok", "is reached and takes the key, 2 models")
    assert contact.models == ("m1", "m2")
    (request,) = upstream.requests
    assert (request.method, request.path) == ("GET", "/v1/models")
    assert request.header("authorization") == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "the key is invalid", "type": "x"}}', "the key is invalid"),
        (b'[{"error": {"message": "API key not valid", "code": 400}}]', "API key not valid"),
        (b'{"detail": "who are you?"}', "who are you?"),
        (b'{"error": "no to sk-0123456789abc"}', "no to [key]"),
        (b'{"ok": false}', '{"ok": false}'),
        (b"[]", "[]"),
        (b"<h1>no</h1>", "no"),
    ],
)
def test_an_error_is_told_by_its_message(body: bytes, words: str) -> None:
    assert said(body) == words


async def test_a_key_that_is_refused_is_corrected_where_it_comes_from(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    contact, _ = await asked(replace(up(), id="deepseek"), says(401, {"error": {"message": "no"}}))
    assert contact.findings[0].remedy == "correct DEEPSEEK_API_KEY, or providers.deepseek.api_key"
    assert contact.findings[0].words == "refuses its key: answers 401 (no)"


@pytest.mark.parametrize(
    ("status", "verdict", "words"),
    [
        (401, "failed", "refuses its key"),
        (403, "failed", "refuses its key"),
        (402, "failed", "has no credit left"),
        (429, "warning", "is at its rate limit, or out of credit"),
        (404, "warning", "gives no list of models"),
        (503, "failed", "fails"),
    ],
)
async def test_each_refusal_is_told_with_a_remedy_and_without_the_key(
    status: int, verdict: str, words: str, autojump_clock: object
) -> None:
    contact, _ = await asked(up(), says(status, {"error": f"no to {KEY}"}))
    (finding,) = contact.findings
    assert finding.verdict == verdict
    assert finding.words.startswith(f"{words}: answers {status} (")
    assert finding.remedy
    assert KEY not in repr(contact)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Refuse(), "nobody listens at http://up.test"),
        (Unresolved(), "the name up.test is not known"),
        (Hang(), "no connection to http://up.test within 5 s"),
    ],
)
async def test_a_way_that_is_broken_is_told(fault: Fault, words: str, autojump_clock: object) -> None:
    contact, _ = await asked(up(), says(200, MODELS), fault=fault)
    (finding,) = contact.findings
    assert (finding.verdict, finding.words) == ("failed", words)
    assert "base_url" in finding.remedy


async def test_each_key_is_tried(autojump_clock: object) -> None:
    keyed = up(api_keys=(Secret("good-key"), Secret("bad-key")))
    contact, _ = await asked(keyed, says(200, MODELS), says(401, {}))
    assert [(f.area, f.verdict) for f in contact.findings] == [
        ("provider up, key 1 of 2", "ok"),
        ("provider up, key 2 of 2", "failed"),
    ]


@pytest.mark.parametrize(("date", "found"), [(DATE, 0), ("Tue, 14 Nov 2023 22:00:00 GMT", 1), ("today", 0)])
async def test_a_clock_that_is_off_is_told(date: str, found: int, autojump_clock: object) -> None:
    contact, _ = await asked(up(), says(200, MODELS, date))
    clocks = [finding for finding in contact.findings if finding.area == "clock"]
    assert [finding.words for finding in clocks] == ["the clock of this machine is 800 s ahead of up's"] * found


async def test_a_default_model_that_is_not_listed_is_told(autojump_clock: object) -> None:
    contact, _ = await asked(up(default_model="gone"), says(200, MODELS))
    assert contact.findings[1].words == "does not list its default model 'gone'"
    assert contact.findings[1].verdict == "warning"


async def test_where_there_is_no_list_any_answer_is_good_and_the_key_stays_untried(
    autojump_clock: object,
) -> None:
    contact, upstream = await asked(up(models_path=None), says(403, {}))
    assert contact.findings[0].words == "is reached; its key was not tried"
    assert upstream.requests[0].path == "/v1"


@pytest.mark.parametrize(
    ("dialect", "base_url", "path"),
    [
        ("anthropic", "https://a.test", "/v1/models"),
        ("anthropic", "https://a.test/x/v1", "/x/v1/models"),
        ("openai-chat", "https://a.test/v1/", "/v1/models"),
        ("gemini", "https://a.test", "/v1beta/models"),
        ("ollama", "http://127.0.0.1:11434", "/api/tags"),
        ("unheard-of", "https://a.test", None),
    ],
)
def test_models_are_listed_where_the_dialect_says(dialect: str, base_url: str, path: str | None) -> None:
    assert list_path(Provider("p", dialect, base_url)) == path
    assert list_path(Provider("p", dialect, base_url, quirks=Quirks(platform="azure"))) is None


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"data": [{"id": "a"}, {"id": "a"}, 3, {}]}', ("a",)),
        (b'{"models": [{"name": "models/g"}]}', ("g",)),
        (b'[{"id": "a"}]', ("a",)),
        (b'{"data": 3}', ()),
        (b"<html>", ()),
        (b"3", ()),
    ],
)
def test_lists_of_every_shape_are_read(body: bytes, names: tuple[str, ...]) -> None:
    assert listed(body) == names
