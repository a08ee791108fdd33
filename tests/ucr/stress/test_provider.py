"""A virtual provider answers by the tag, and badly when its plan says so."""

import pytest
import trio
import trio.testing

from actors.errors import PoolError
from actors.pool import Pool
from actors.request import Limits, Origin, UpstreamRequest
from ucr.stress.hearing import text_in
from ucr.stress.network import MemoryNetwork
from ucr.stress.plan import FAULTS, Plan, Spell
from ucr.stress.provider import PORT, VirtualProvider, host_of
from ucr.stress.words import prompt_of, text_of

LIMITS = Limits(connect_s=5, first_byte_s=5, idle_s=5)


def body_of(tag: str) -> bytes:
    return f'{{"messages": [{{"role": "user", "content": "{prompt_of(tag)}"}}]}}'.encode()


async def ask(fault: str | None, seen: list[str]) -> tuple[int, bytes]:
    """Ask a provider that has this fault in every answer; return the status and the body, 0 where none came."""
    spells = () if fault is None else (Spell("north", fault, 0, 1000, 1.0),)  # type: ignore[arg-type]
    plan = Plan(1, 1000, 1, spells=spells)
    network = MemoryNetwork()
    provider = VirtualProvider(
        "north",
        "anthropic",
        plan,
        lambda name, tag: seen.append(f"{name} {tag}"),
        lambda tag, tokens: seen.append(f"paid {tokens}"),
    )
    pool = Pool(Origin("http", host_of("north"), PORT), network)
    request = UpstreamRequest("POST", "/v1/messages", (), body_of("u1.1"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(provider.serve, network)
        await trio.testing.wait_all_tasks_blocked()
        try:
            with await pool.start(request, LIMITS) as response:
                return response.status, await response.read()
        except PoolError:
            return 0, b"{"
        finally:
            await pool.aclose()
            nursery.cancel_scope.cancel()


async def test_a_provider_that_is_well_says_its_words_once(autojump_clock: object) -> None:
    seen: list[str] = []
    status, body = await ask(None, seen)
    assert (status, text_in("anthropic", body)) == (200, text_of("u1.1"))
    assert seen[0] == "north u1.1"
    assert len(seen) == 2


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_passes_for_a_whole_answer_by_mistake(autojump_clock: object, fault: str) -> None:
    seen: list[str] = []
    _, body = await ask(fault, seen)
    try:
        is_whole = text_in("anthropic", body) == text_of("u1.1")
    except (ValueError, KeyError):
        is_whole = False
    paid = [words for words in seen if words.startswith("paid")]
    assert is_whole == (fault in ("slow", "surplus")) == bool(paid)
