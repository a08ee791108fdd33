"""The keeper of the vault: an actor with the states of tool calls, bounded in number, bytes and age.

A state that is used stays. The states belong to the actor and die with it: one that is lost is a state that the
client did not bring back, as it was before there was a vault.
"""

import math
from dataclasses import dataclass
from typing import Any, assert_never

import trio

from actors import ActorChild, Hot, HotStatistics, Mailbox, Reply
from ucr.config.model import State as Config
from ucr.vault.messages import FindStates, KeepState, States, VaultMessage
from ucr.views import STATE

CAPACITY = 4096

MOST_FOUND_BYTES = 8 * 1024 * 1024
"""What is answered at most to one request; the states of older calls are left out."""


@dataclass(frozen=True, slots=True)
class KeeperSpec:
    """A state that nobody wants for `ttl_s` goes, and so does the one unused for longest where there is no room."""

    ttl_s: float = 21_600.0
    max_entries: int = 10_000
    max_bytes: int = 33_554_432


def keeper_spec(config: Config) -> KeeperSpec:
    """Return what a keeper is made with under this configuration."""
    return KeeperSpec(config.ttl_s, config.max_entries, config.max_bytes)


class KeeperActor:
    """One incarnation: the states."""

    def __init__(self, spec: KeeperSpec) -> None:
        self._states: Hot[bytes] = Hot(spec.ttl_s, spec.max_entries, spec.max_bytes, trio.current_time)

    def receive(self, message: VaultMessage, reply: Reply[Any]) -> None:
        match message:
            case FindStates(keys=keys):
                reply.answer(States(self._found(keys)))
            case KeepState(key=key, state=state):
                self._states.put(key, state, len(state), math.inf, self._states.epoch)
            case other:
                assert_never(other)

    def _found(self, keys: tuple[bytes, ...]) -> tuple[bytes | None, ...]:
        """Look from the latest call backwards, as long as there is room in the answer."""
        found: list[bytes | None] = []
        room = MOST_FOUND_BYTES
        for key in reversed(keys):
            state = self._states.get(key) if room > 0 else None
            room -= 0 if state is None else len(state)
            found.append(state if room >= 0 else None)
        return tuple(reversed(found))

    def statistics(self) -> HotStatistics:
        """Return the sizes of now and the counts of this incarnation."""
        return self._states.statistics()


class Keeper(ActorChild[VaultMessage]):
    """The child round the incarnations of the actor."""

    def __init__(self, spec: KeeperSpec, name: str = STATE) -> None:
        mailbox: Mailbox[VaultMessage] = Mailbox(name, capacity=CAPACITY)
        super().__init__(mailbox, self._next)
        self._spec = spec
        self._actor = KeeperActor(spec)

    def _next(self) -> KeeperActor:
        self._actor = KeeperActor(self._spec)
        return self._actor

    def statistics(self) -> HotStatistics:
        """Return the sizes of now and the counts since the last crash."""
        return self._actor.statistics()
