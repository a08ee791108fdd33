"""The vault's part in a request: what is put back before a provider is asked, and who listens to its answer."""

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from ucr.call import Call, Restored
from ucr.config.model import Provider
from ucr.dialects.anthropic.thinking import is_on
from ucr.dialects.roles import Canonical, ProviderDialect, Request
from ucr.jsontext import dumps
from ucr.large import beside
from ucr.rests import LARGE_BYTES
from ucr.vault import chat, turns
from ucr.vault.gathering import Gatherer
from ucr.vault.vault import Drawer, Vault, drawer_of

Made = TypeVar("Made")


async def recall(call: Call, provider: Provider, dialect: ProviderDialect) -> None:
    """Put back, for this provider alone, what it gave with earlier calls and the client has not brought back.

    Raises what reading the request raises. A call that has been let go of meanwhile is left alone.
    """
    vault, request = call.router.vault, call.request
    if vault is None or not request.raw:
        return
    drawer = drawer_of(call.record.client, request, provider.id)
    if dialect.name == call.client.name:
        restored = await _in_chat(call, vault, drawer, provider)
    else:
        restored = await _in_turns(call, vault, drawer, provider, dialect)
    if restored is not None and call.request is request:
        call.restored = {**(call.restored or {}), provider.id: restored}


def gatherer_of(call: Call, provider: Provider) -> Gatherer | None:
    """Return what listens to an answer of this provider; None where no call can come of it."""
    vault = call.router.vault
    if vault is None or not call.request.body.get("tools"):
        return None
    drawer = drawer_of(call.record.client, call.request, provider.id)
    return Gatherer(lambda id_, state: vault.keep(drawer.key(id_), state))


async def _in_turns(
    call: Call, vault: Vault, drawer: Drawer, provider: Provider, dialect: ProviderDialect
) -> Restored | None:
    request, canonical = call.request, call.canonical
    if canonical is None:
        canonical = await _worked(call, request, lambda: call.client.canonical(request))
        if call.request is request:
            call.canonical = canonical
    body = canonical.body
    if dialect.name == "anthropic" and not is_on(body):
        return None
    lacking = turns.calls_without_state(body.get("messages"), provider.id)
    states = await vault.find(drawer, lacking) if lacking else {}
    if not states:
        return None
    made = {**body, "messages": turns.with_states(body["messages"], states, provider.id)}
    return request, Canonical(made, canonical.notes)


async def _in_chat(call: Call, vault: Vault, drawer: Drawer, provider: Provider) -> Restored | None:
    request, quirks = call.request, provider.quirks
    lacking = chat.calls_without_state(request.body.get("messages"), quirks)
    states = await vault.find(drawer, lacking) if lacking else {}
    if not states:
        return None

    def restored() -> Request:
        messages = chat.with_states(request.body["messages"], states, provider.id, quirks)
        body = {**request.body, "messages": messages}
        return replace(request, raw=dumps(body), body=body)

    return await _worked(call, request, restored), None


async def _worked(call: Call, request: Request, work: Callable[[], Made]) -> Made:
    """Do what takes long with a very large request while nobody waits for it."""
    return await beside(call.router.reading, work) if len(request.raw) >= LARGE_BYTES else work()
