"""The vault as requests see it: where the states of tool calls are kept and found, failing open.

A state is found by who asks (the client's name), in which session, of which provider, and for which call. So nobody
gets another client's state, and no provider another one's. Whatever goes wrong, slowness included, is no state.
"""

import hashlib
from collections.abc import Sequence

from actors import ActorError, Ref
from ucr.brief import Brief
from ucr.dialects.roles import Request
from ucr.dialects.tool_ids import is_numbered
from ucr.shape import first_user_turn, turn_texts
from ucr.vault.messages import FindStates, KeepState, VaultMessage
from ucr.vault.state import State, read, written

MOST_CALLS = 512
"""Of a longer history only the latest calls are looked for."""

_KEY_BYTES = 20
_BEGINNING_CHARS = 4096
"""As much of what the user said first tells conversations apart."""


class Vault:
    """Asks the keeper, wherever it is, and tells it."""

    def __init__(self, ref: Ref[VaultMessage]) -> None:
        self._ref = ref
        self._brief = Brief()

    def __repr__(self) -> str:
        return f"<Vault at {self._ref!r}>"

    async def find(self, drawer: "Drawer", ids: Sequence[str]) -> dict[str, State]:
        """Return the states of these calls that are known, by their ids."""
        latest = list(dict.fromkeys(ids))[-MOST_CALLS:]
        wanted = FindStates(tuple(drawer.key(id_) for id_ in latest))
        try:
            states = await self._brief.ask(self._ref, wanted)
        except ActorError:
            return {}
        known = ((id_, read(data)) for id_, data in zip(latest, states.found, strict=False) if data)
        return {id_: state for id_, state in known if state is not None}

    def keep(self, key: bytes, state: bytes) -> None:
        """Keep a state; it is dropped where nobody takes it."""
        self._ref.offer(KeepState(key, state))

    async def keep_also(self, drawer: "Drawer", id_: str, other: str) -> None:
        """Keep the state of a call, where it has one, under another id as well."""
        state = (await self.find(drawer, (id_,))).get(id_)
        if state is not None:
            self.keep(drawer.key(other), written(state))


class Drawer:
    """The part of the vault that is one client's, in one session with one provider.

    A client that names no session has all of its conversations in one, and several agents may share one. Ids that only
    number the calls of a conversation are therefore told apart by its `beginning`.
    """

    __slots__ = ("_beginning", "_owner")

    def __init__(self, client: str, session: str, provider: str, beginning: str = "") -> None:
        self._owner = (client, session, provider)
        self._beginning = hashlib.blake2b(beginning.encode("utf-8", "replace"), digest_size=_KEY_BYTES).digest()

    def __repr__(self) -> str:
        return "<Drawer>"

    def key(self, id_: str) -> bytes:
        """Return the key of a call: a digest, from which nothing can be read."""
        beginning = self._beginning if is_numbered(id_) else b""
        words = repr((*self._owner, beginning, id_)).encode()
        return hashlib.blake2b(words, digest_size=_KEY_BYTES).digest()


def drawer_of(client: str | None, request: Request, provider: str) -> Drawer:
    """Return the drawer of the conversation in which a request stands."""
    beginning = "\n".join(turn_texts(first_user_turn(request.body)))[:_BEGINNING_CHARS]
    return Drawer(client or "", request.session_id or "", provider, beginning)
