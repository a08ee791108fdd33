"""The providers that run in a worker: started, kept, changed and let go as the configuration says.

A provider whose actor is concerned by a change gets a new one beside the old, under a name of its own
("groq@2"); requests that began with the old one finish there. On the board there is one entry for each provider
of the present configuration, whatever its actor is called.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from actors import Board, Observed, ProviderSpec, Supervisor
from actors import Provider as ProviderChild
from ucr import upstream
from ucr.config.model import Config, Provider
from ucr.config.plan import Plan

Children = Mapping[str, ProviderChild]
MakeChild = Callable[[Provider, str, Board], ProviderChild]


class Place(MutableMapping[str, Observed]):
    """The part of a board that one actor sees: its own entry, which stands on the board under the provider's id.

    After `leave` the actor keeps its entry for itself: the board belongs to its successor.
    """

    def __init__(self, board: Board, provider_id: str) -> None:
        self._board: Board | None = board
        self._id = provider_id
        self._own: dict[str, Observed] = {}

    def __getitem__(self, name: str) -> Observed:
        return self._own[name]

    def __setitem__(self, name: str, provider: Observed) -> None:
        self._own[name] = provider
        if self._board is not None:
            self._board[self._id] = provider

    def __delitem__(self, name: str) -> None:
        del self._own[name]
        if self._board is not None:
            self._board.pop(self._id, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)

    def show(self) -> None:
        """Put the entry on the board again, after another one stood there."""
        for provider in self._own.values():
            if self._board is not None:
                self._board[self._id] = provider

    def leave(self) -> None:
        """Change the board no more."""
        self._board = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A provider as it was configured, its actor, and the actor's place on the board."""

    provider: Provider
    child: ProviderChild
    place: Place


@dataclass(frozen=True, slots=True)
class Succession:
    """The providers of the next configuration, and those that only requests of the present one still need."""

    children: Children
    retired: tuple[ProviderChild, ...] = ()


class Roster:
    """`make` builds the actor of a provider, under a name, with a place on the board."""

    def __init__(self, supervisor: Supervisor, board: Board, make: MakeChild) -> None:
        self._supervisor = supervisor
        self._board = board
        self._make = make
        self._entries: dict[str, _Entry] = {}
        self._started: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Roster of {', '.join(self._entries) or 'nobody'}>"

    @property
    def children(self) -> Children:
        """The actors of the present configuration, by provider."""
        return MappingProxyType({name: entry.child for name, entry in self._entries.items()})

    async def follow(self, plan: Plan, config: Config) -> Succession:
        """Start what is new, tell what is changed, and return what the next generation works with.

        Nothing is taken from the present generation. When something cannot be started, what was started is
        stopped again and the error goes on. When this is cancelled, it is left to the supervisor's end.
        """
        wanted = {provider.id: provider for provider in config.providers if provider.enabled}
        fresh = [name for name in plan.changed if _needs_another(self._entries[name], wanted[name])]
        entries: dict[str, _Entry] = {}
        try:
            for name in (*plan.added, *fresh):
                entries[name] = await self._start(wanted[name])
        except Exception:
            await self._give_back(entries)
            raise
        gone = [self._entries.pop(name) for name in (*plan.removed, *fresh)]
        self._keep(wanted, set(plan.changed) - set(fresh))
        self._entries |= entries
        self._clear_board(gone)
        return Succession(self.children, tuple(entry.child for entry in gone))

    async def retire(self, children: tuple[ProviderChild, ...]) -> None:
        """Stop actors that nobody needs any more."""
        for child in children:
            await self._supervisor.stop(child.name)

    async def _start(self, provider: Provider) -> _Entry:
        number = self._started[provider.id] = self._started.get(provider.id, 0) + 1
        name = provider.id if number == 1 else f"{provider.id}@{number}"
        place = Place(self._board, provider.id)
        return _Entry(provider, await self._supervisor.start(self._make(provider, name, place)), place)

    async def _give_back(self, entries: Mapping[str, _Entry]) -> None:
        for entry in entries.values():
            entry.place.leave()
            await self._supervisor.stop(entry.child.name)
        for entry in self._entries.values():
            entry.place.show()

    def _keep(self, wanted: Mapping[str, Provider], changed: set[str]) -> None:
        """Take over the actors that go on, under what the new configuration says of them."""
        for name, entry in self._entries.items():
            self._entries[name] = replace(entry, provider=wanted[name])
            if name in changed:
                entry.child.reconfigure(_spec(wanted[name], entry.child.name))

    def _clear_board(self, gone: list[_Entry]) -> None:
        for entry in gone:
            entry.place.leave()
            if entry.provider.id not in self._entries:
                self._board.pop(entry.provider.id, None)


def _spec(provider: Provider, name: str) -> ProviderSpec:
    return replace(upstream.spec_of(provider), id=name)


def _needs_another(entry: _Entry, provider: Provider) -> bool:
    """Whether more changed than limits, which the running actor can take."""
    before = entry.provider
    now, then = _spec(provider, ""), _spec(before, "")
    return now != then.limited_as(now) or (before.api_keys, before.dialect) != (
        provider.api_keys,
        provider.dialect,
    )
