"""Answers on their way, and who waits for them: what the coalescing of requests knows.

How this works. A `Flight` is one answer that is being made for several requests: the one who *leads* makes it, the
others *follow* it. Followers of a whole answer wait for its body, those of a stream read a `Fanout`. When the leader
fails before anything was sent, and another might not, the flight is handed over: one follower becomes the heir, who
leads a flight of its own that all others follow from then on. Only so many leaders may fail one after the other;
then all are told the last one's error. Nothing here waits but `wait_news` and `wait_taken`.
"""

from typing import Literal, NamedTuple, Protocol

import trio

from ucr import verdict
from ucr.errors import ApiError
from ucr.fanout import Fanout, Reader, Room
from ucr.record import Record
from ucr.routing import Candidate

State = Literal["flying", "told", "failed", "over"]
"""On its way; told to its end; failed with an error for all; given up, with nothing that could be told."""

MOST_FAILURES = 2
"""So many leaders may hand a failed flight over; the error of the next one is told to all who wait."""
MOST_FOLLOWERS = 1024
_SAMPLE_BYTES = 128

Key = tuple[str, str, int, bytes, bytes]


class Ask(NamedTuple):
    """What the answer to a request depends on. Two that are equal get the same answer."""

    client: str
    dialect: str
    raw: bytes
    stream: bool
    is_strict: bool
    headers: tuple[tuple[str, str], ...]
    choices: tuple[Candidate, ...]

    @property
    def key(self) -> Key:
        """What equal ones have in common and few others do: cheap, because a body is hashed nowhere."""
        raw = self.raw
        middle = len(raw) >> 1
        return (
            self.client,
            self.dialect,
            len(raw),
            raw[-_SAMPLE_BYTES:],
            raw[middle : middle + _SAMPLE_BYTES],
        )


class Leader(Protocol):
    """Who makes the answer of a flight. `record` is its account."""

    record: Record

    def followed(self) -> bool:
        """Begin to share, if it is not done yet; False when it cannot be done now."""
        ...

    def deserted(self) -> None:
        """Nobody follows any more."""
        ...


class Flight:
    """One answer on its way.

    `ask` is there as long as others may find it, `leader` as long as it makes the answer, and its `record` to the end.
    `body` is a whole one that was made; `error` what a client is told instead, with the words of a provider of its
    dialect.
    """

    __slots__ = (
        "_news",
        "_taken",
        "ask",
        "body",
        "error",
        "failures",
        "fanout",
        "flights",
        "heir",
        "key",
        "leader",
        "record",
        "seats",
        "state",
        "stream",
    )

    def __init__(self, flights: "Flights", key: Key, ask: Ask, failures: int = 0) -> None:
        self.flights = flights
        self.key = key
        self.ask: Ask | None = ask
        self.stream = ask.stream
        self.fanout = Fanout(flights.room, len(ask.raw), self._forget)
        self.state: State = "flying"
        self.failures = failures
        self.body: bytes | None = None
        self.error: tuple[ApiError, bytes | None] | None = None
        self.leader: Leader | None = None
        self.record: Record | None = None
        self.heir: Seat | None = None
        self.seats: dict[Seat, None] = {}
        self._news: trio.Event | None = None
        self._taken: trio.Event | None = None

    def __repr__(self) -> str:
        return f"<Flight {self.state}, {len(self.seats)} following>"

    def join(self) -> "Seat | None":
        """Follow; None when it is too late for that, or too many do, or the leader cannot share now."""
        if self.state != "flying" or len(self.seats) >= MOST_FOLLOWERS or not self.fanout.is_whole:
            return None
        if self.leader is not None and not self.leader.followed():
            return None
        return Seat(self)

    def led_by(self, leader: Leader) -> None:
        """Begin: who waited to lead does so, and is no follower any more."""
        self.leader, self.record, heir = leader, leader.record, self.heir
        if heir is not None:
            self.heir = None
            del self.seats[heir]
            self.fanout.leave(heir.reader)
            if self.seats:
                leader.followed()

    def add(self, data: bytes) -> None:
        """Take the next piece of a stream."""
        self.fanout.add(data)
        self.tell_news()

    def end(self, body: bytes | None = None) -> None:
        """The answer is whole; of one that was not streamed this is the body."""
        if self.state == "flying":
            self.body = body
            self._rest("told")

    def fail(self, error: ApiError, body: bytes | None) -> None:
        """The leader's client is told this error: so are all others, or one of them tries for itself."""
        if self.state == "flying":
            self.error = error.without_frames(), body
            may_do_better = verdict.tries_next(error) and self.failures < MOST_FAILURES
            if not (may_do_better and self._hand_over()):
                self._rest("failed")

    def give_up(self) -> None:
        """Nobody leads any more, and nothing was told: another one does, if nothing was sent."""
        self.leader = None
        if self.state == "flying" and not (self.seats and self._hand_over()):
            self._rest("over")

    def _rest(self, state: State) -> None:
        self.state = state
        self._forget()
        self.fanout.on_partial = None  # it leads back to here
        if self.fanout.kept_bytes:
            self._close_when_left()
        if self._news is not None:
            self.tell_news()

    def _forget(self) -> None:
        """Let nobody find this flight any more, and keep nothing for that."""
        if self.ask is not None:
            self.ask = None
            self.flights.forget(self)

    def _hand_over(self) -> bool:
        """Make the next follower the heir of a flight that all others follow; False when that cannot be."""
        if not self.seats or self.fanout.total_bytes or self.ask is None:
            return False
        after = self.flights.begin(self.key, self.ask, self.failures + (self.error is not None))
        for seat in self.seats:
            seat.move(after)
        after.heir = next(iter(after.seats))
        self.seats.clear()
        self.fanout.close()
        self._rest("over")
        return True

    def leave(self, seat: "Seat") -> None:
        """One follower less; an heir that leaves hands over to the next."""
        self.seats.pop(seat, None)
        if self.heir is seat:
            self.heir = None
            self.give_up()
        if not self.seats and self.leader is not None:
            self.leader.deserted()
        self.unread(seat.reader)

    def unread(self, reader: Reader) -> None:
        """Keep nothing for this reader any more."""
        self.fanout.leave(reader)
        self._close_when_left()
        self.tell_taken()

    def _close_when_left(self) -> None:
        if self.state != "flying" and not self.fanout.readers:
            self.fanout.close()

    def tell_news(self) -> None:
        """Wake those who follow."""
        if self._news is not None:
            self._news.set()
            self._news = None

    def tell_taken(self) -> None:
        """Wake the leader, if it waits for its readers."""
        if self._taken is not None:
            self._taken.set()
            self._taken = None

    async def wait_news(self) -> None:
        """Return when there is more, or another state."""
        if self._news is None:
            self._news = trio.Event()
        await self._news.wait()

    async def wait_taken(self, ahead_bytes: int) -> None:
        """Return when some reader has taken all but so many bytes, or nobody reads."""
        while self.fanout.ahead_bytes > ahead_bytes:
            if self._taken is None:
                self._taken = trio.Event()
            await self._taken.wait()


class Seat:
    """A follower's place, to be used in a `with`. `flight` is another one after a flight was handed over.

    Who becomes the heir leaves the block without an error, and must lead at once.
    """

    __slots__ = ("flight", "reader")

    def __init__(self, flight: Flight) -> None:
        self.move(flight)

    def move(self, flight: Flight) -> None:
        """Follow this flight from now on."""
        self.flight = flight
        self.reader: Reader = flight.fanout.join()
        flight.seats[self] = None

    @property
    def is_heir(self) -> bool:
        """True when this follower is the next to lead."""
        return self.flight.heir is self

    def __enter__(self) -> "Seat":
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is not None or not self.is_heir:
            self.flight.leave(self)


class Flights:
    """The answers of a worker that are on their way, by the keys of their requests."""

    def __init__(self) -> None:
        self.room = Room()
        self._flying: dict[Key, Flight] = {}

    def __repr__(self) -> str:
        return f"<Flights: {len(self._flying)}, {self.room.kept_bytes} bytes kept>"

    def __len__(self) -> int:
        return len(self._flying)

    def join(self, key: Key, ask: Ask) -> Seat | None:
        """Follow the answer that is being made for a request like this one, if there is one to follow."""
        flight = self._flying.get(key)
        return None if flight is None or flight.ask != ask else flight.join()

    def begin(self, key: Key, ask: Ask, failures: int = 0) -> Flight:
        """Return a new flight, which requests like this find from now on."""
        flight = self._flying[key] = Flight(self, key, ask, failures)
        return flight

    def forget(self, flight: Flight) -> None:
        """Let nobody find this flight any more."""
        if self._flying.get(flight.key) is flight:
            del self._flying[flight.key]
