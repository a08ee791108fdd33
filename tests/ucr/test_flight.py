"""Who leads, who follows, and what becomes of those who follow when a leader fails."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ucr.errors import ApiError, UpstreamError
from ucr.fanout import PIECE_BYTES
from ucr.flight import MOST_FAILURES, MOST_FOLLOWERS, Ask, Flight, Flights, Seat
from ucr.record import Record

ASK = Ask("ann", "anthropic", b'{"model": "m"}', False, False, (), ())
STREAM = ASK._replace(stream=True)
BUSY = UpstreamError("overloaded_error", "busy", fault="overload")
BAD = UpstreamError("invalid_request_error", "bad", fault="request")
OWN = ApiError("invalid_request_error", "cannot be said in this dialect")


class Hands:
    """A leader. `is_willing` False cannot share now."""

    def __init__(self, *, is_willing: bool = True) -> None:
        self.record = Record("req_1", "0", 0.0, lambda: 0.0)
        self.is_willing = is_willing
        self.times_followed = 0
        self.times_deserted = 0

    def followed(self) -> bool:
        self.times_followed += 1
        return self.is_willing

    def deserted(self) -> None:
        self.times_deserted += 1


def led(flights: Flights, ask: Ask = ASK, leader: Hands | None = None) -> Flight:
    flight = flights.begin(ask.key, ask)
    flight.led_by(leader or Hands())
    return flight


def join(flights: Flights, ask: Ask = ASK) -> Seat:
    seat = flights.join(ask.key, ask)
    assert seat is not None
    return seat


def test_like_requests_find_the_flight_and_others_do_not() -> None:
    flights = Flights()
    assert flights.join(ASK.key, ASK) is None
    led(flights)
    assert join(flights) is not None
    for other in (ASK._replace(client="bob"), ASK._replace(raw=b'{"model": "n"}'), STREAM):
        assert flights.join(other.key, other) is None


def test_two_that_look_alike_but_are_not_never_share() -> None:
    body = b"x" * 1000
    one, other = ASK._replace(raw=b"a" + body), ASK._replace(raw=b"b" + body)
    assert one.key == other.key
    flights = Flights()
    led(flights, one)
    assert flights.join(other.key, other) is None
    led(flights, other)
    assert flights.join(other.key, other) is not None


def test_an_answer_is_told_to_all_and_the_flight_is_over() -> None:
    flights = Flights()
    flight = led(flights)
    seat = join(flights)
    flight.end(b"answer")
    assert (flight.state, flight.body, seat.flight) == ("told", b"answer", flight)
    assert (len(flights), repr(flight)) == (0, "<Flight told, 1 following>")
    flight.give_up()
    assert flight.state == "told"


def test_when_a_leader_fails_the_first_follower_leads_and_the_others_follow_it() -> None:
    flights = Flights()
    flight = led(flights)
    first, second = join(flights), join(flights)
    flight.fail(BUSY, None)
    assert (flight.state, first.is_heir, second.is_heir) == ("over", True, False)
    assert first.flight is second.flight is not flight
    third = join(flights)
    first.flight.led_by(Hands())
    first.flight.end(b"answer")
    assert second.flight.body == third.flight.body == b"answer"


def test_only_so_many_leaders_fail_one_after_the_other() -> None:
    flights = Flights()
    flight = led(flights)
    seats = [join(flights) for _ in range(10)]
    for _ in range(MOST_FAILURES):
        flight.fail(BUSY, None)
        flight = seats.pop(0).flight
        flight.led_by(Hands())
    flight.fail(BUSY, b"words")
    assert (flight.state, flight.error, len(flights)) == ("failed", (BUSY, b"words"), 0)
    assert {seat.flight for seat in seats} == {flight}


@pytest.mark.parametrize("error", [BAD, OWN])
def test_what_nobody_could_do_better_is_told_to_all(error: ApiError) -> None:
    flights = Flights()
    flight = led(flights)
    seat = join(flights)
    flight.fail(error, None)
    assert (flight.state, seat.is_heir) == ("failed", False)


def test_a_leader_that_gives_up_is_followed_by_the_next_without_counting_as_failed() -> None:
    flights = Flights()
    flight = led(flights)
    seats = [join(flights) for _ in range(MOST_FAILURES + 2)]
    for seat in seats:
        flight.give_up()
        assert seat.is_heir
        flight = seat.flight
        flight.led_by(Hands())
    flight.give_up()
    assert (flight.state, len(flights)) == ("over", 0)


def test_an_heir_that_leaves_hands_over_to_the_next() -> None:
    flights = Flights()
    flight = led(flights)
    first, second = join(flights), join(flights)
    flight.fail(BUSY, None)
    with pytest.raises(KeyError), first:
        raise KeyError
    assert second.is_heir
    with pytest.raises(KeyError), second:
        raise KeyError
    assert len(flights) == 0


def test_a_stream_of_which_something_was_sent_is_not_handed_over() -> None:
    flights = Flights()
    flight = led(flights, STREAM)
    seat = join(flights, STREAM)
    flight.add(b"data")
    flight.fail(BUSY, None)
    assert (flight.state, seat.is_heir, seat.reader.take()) == ("failed", False, b"data")


def test_what_is_kept_is_dropped_when_nobody_needs_it_any_more() -> None:
    flights = Flights()
    flight = led(flights, STREAM)
    flight.add(b"data")
    assert flights.room.kept_bytes == len(STREAM.raw) + 4 + PIECE_BYTES
    with join(flights, STREAM):
        flight.end()
        assert flights.room.kept_bytes
    assert flights.room.kept_bytes == 0
    assert repr(flights) == "<Flights: 0, 0 bytes kept>"


def test_a_stream_that_is_too_long_to_keep_is_not_found_any_more() -> None:
    flights = Flights()
    flight = led(flights, STREAM)
    flights.room.limit_bytes = 0
    flight.add(b"data")
    assert (len(flights), flight.ask, flight.join()) == (0, None, None)


def test_a_leader_hears_of_the_first_follower_and_of_the_last_that_leaves() -> None:
    hands = Hands()
    flights = Flights()
    led(flights, leader=hands)
    with join(flights), join(flights):
        assert hands.times_deserted == 0
    assert hands.times_deserted == 1


def test_who_inherits_followers_hears_of_them_at_once() -> None:
    flights = Flights()
    flight = led(flights)
    first, _second = join(flights), join(flights)
    flight.fail(BUSY, None)
    hands = Hands()
    first.flight.led_by(hands)
    assert hands.times_followed == 1


def test_nobody_follows_a_leader_that_cannot_share_now() -> None:
    flights = Flights()
    led(flights, leader=Hands(is_willing=False))
    assert flights.join(ASK.key, ASK) is None


def test_the_number_of_those_who_follow_is_bounded() -> None:
    flights = Flights()
    led(flights)
    for _ in range(MOST_FOLLOWERS):
        join(flights)
    assert flights.join(ASK.key, ASK) is None


async def test_a_leader_waits_for_the_fastest_reader_until_there_is_none(autojump_clock: object) -> None:
    flight = led(Flights(), STREAM)
    await flight.wait_taken(0)
    seat = flight.join()
    assert seat is not None
    flight.add(b"12345")
    await flight.wait_taken(5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flight.wait_taken, 4)
        await wait_all_tasks_blocked()
        with seat:
            pass
