"""The part of a shared stream that decides: who has had what, what is kept, and who is cut off."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ucr.fanout import LEAST_BYTES, MOST_BYTES, PIECE_BYTES, TAKE_BYTES, Fanout, Reader, Room


def drained(reader: Reader) -> bytes:
    got = b""
    while data := reader.take():
        got += data
    return got


def test_who_comes_late_is_given_everything_from_the_beginning() -> None:
    fanout = Fanout(Room())
    early = fanout.join()
    fanout.add(b"one ")
    assert drained(early) == b"one "
    fanout.add(b"two")
    late = fanout.join()
    assert (drained(early), drained(late)) == (b"two", b"one two")


def test_one_may_begin_where_the_stream_is_now() -> None:
    fanout = Fanout(Room())
    fanout.add(b"one ")
    reader = fanout.join(late=False)
    fanout.add(b"two")
    assert drained(reader) == b"two"
    assert repr(reader) == "<Reader at 7 of 7 bytes>"


def test_much_is_taken_in_parts() -> None:
    fanout = Fanout(Room())
    for _ in range(4):
        fanout.add(bytes(TAKE_BYTES // 2))
    reader = fanout.join()
    assert [len(reader.take()) for _ in range(3)] == [TAKE_BYTES, TAKE_BYTES, 0]


def test_a_stream_that_is_too_long_to_keep_cannot_be_joined_and_takes_nothing_more() -> None:
    room = Room()
    fanout = Fanout(room, own_bytes=1000)
    while fanout.is_whole:
        fanout.add(bytes(LEAST_BYTES))
    fanout.add(b"more")
    assert fanout.total_bytes > MOST_BYTES
    assert (fanout.kept_bytes, room.kept_bytes) == (0, 0)


def test_a_reader_that_keeps_up_reads_a_stream_of_any_length_and_one_that_does_not_is_cut_off() -> None:
    room = Room()
    fanout = Fanout(room)
    quick, slow = fanout.join(), fanout.join()
    for _ in range(100):
        fanout.add(bytes(LEAST_BYTES))
        assert len(drained(quick)) == LEAST_BYTES
        assert room.kept_bytes <= MOST_BYTES + LEAST_BYTES + PIECE_BYTES
    assert (quick.is_cut, slow.is_cut, slow.take()) == (False, True, b"")


def test_streams_share_a_room_and_one_that_finds_it_full_is_kept_for_its_readers_alone() -> None:
    room = Room(limit_bytes=MOST_BYTES)
    full, followed, alone = Fanout(room), Fanout(room), Fanout(room)
    slow, quick = followed.join(), followed.join()
    for _ in range(20):
        full.add(bytes(MOST_BYTES // 20 - PIECE_BYTES))
    for _ in range(10):
        followed.add(bytes(LEAST_BYTES // 8))
        alone.add(bytes(LEAST_BYTES // 8))
        assert drained(quick)
    assert (full.is_whole, followed.is_whole, alone.is_whole) == (True, False, False)
    assert (slow.is_cut, quick.is_cut) == (True, False)
    assert room.kept_bytes <= MOST_BYTES + LEAST_BYTES + PIECE_BYTES
    for fanout in (full, followed, alone):
        fanout.close()
    assert room.kept_bytes == 0


def test_what_a_stream_keeps_for_joiners_counts_from_its_first_piece_until_nobody_can_join() -> None:
    room = Room()
    fanout = Fanout(room, own_bytes=5000)
    assert room.kept_bytes == 0
    fanout.add(b"x")
    assert room.kept_bytes == 5000 + 1 + PIECE_BYTES
    fanout.close()
    assert (room.kept_bytes, fanout.is_whole) == (0, False)


def test_who_has_had_everything_is_not_cut_off_by_the_end() -> None:
    fanout = Fanout(Room())
    done, waiting = fanout.join(), fanout.join()
    fanout.add(b"x")
    done.take()
    fanout.close()
    assert (done.is_cut, waiting.is_cut) == (False, True)


@pytest.mark.parametrize(("taken", "ahead"), [(0, 6), (1, 3), (2, 0)])
def test_the_fastest_reader_says_how_far_the_stream_is_ahead(taken: int, ahead: int) -> None:
    fanout = Fanout(Room())
    quick = fanout.join()
    fanout.join()
    for number in range(2):
        fanout.add(b"abc")
        if number < taken:
            quick.take()
    assert fanout.ahead_bytes == ahead
    fanout.leave(quick)
    assert fanout.ahead_bytes == 6
    fanout.close()
    assert fanout.ahead_bytes == 0


class FanoutMachine(RuleBasedStateMachine):
    """Whatever is done, a reader is given a part without a gap of what it was promised, or is told that it is cut."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Room(limit_bytes=4 * MOST_BYTES)
        self.fanouts = [Fanout(self.room, own_bytes=100) for _ in range(3)]
        self.sent = [b"", b"", b""]
        self.readers: list[tuple[int, Reader, int, bytearray]] = []
        self.largest = 0

    @rule(which=st.integers(0, 2), size=st.integers(1, MOST_BYTES // 3), mark=st.integers(0, 255))
    def add(self, which: int, size: int, mark: int) -> None:
        data = bytes([mark]) * size
        self.largest = max(self.largest, size)
        self.sent[which] += data
        self.fanouts[which].add(data)

    @rule(which=st.integers(0, 2), late=st.booleans())
    def join(self, which: int, late: bool) -> None:
        if self.fanouts[which].is_whole:
            reader = self.fanouts[which].join(late=late)
            begin = 0 if late else len(self.sent[which])
            self.readers.append((which, reader, begin, bytearray()))

    @precondition(lambda self: self.readers)
    @rule(choice=st.integers(0, 99), times=st.integers(1, 40))
    def take(self, choice: int, times: int) -> None:
        which, reader, begin, got = self.readers[choice % len(self.readers)]
        for _ in range(times):
            got += reader.take()
        assert self.sent[which][begin : begin + len(got)] == got

    @precondition(lambda self: self.readers)
    @rule(choice=st.integers(0, 99))
    def leave(self, choice: int) -> None:
        which, reader, _, _ = self.readers.pop(choice % len(self.readers))
        self.fanouts[which].leave(reader)

    @invariant()
    def what_is_not_cut_can_be_read_to_the_end(self) -> None:
        for which, reader, begin, got in self.readers:
            lacks = len(self.sent[which]) - begin - len(got)
            assert reader.is_cut or lacks <= MOST_BYTES + self.largest
            assert reader.is_cut is (reader not in self.fanouts[which].readers)

    @invariant()
    def what_is_kept_is_bounded_and_counted(self) -> None:
        assert self.room.kept_bytes == sum(fanout.kept_bytes for fanout in self.fanouts)
        for fanout in self.fanouts:
            assert fanout.kept_bytes <= max(MOST_BYTES, self.largest + PIECE_BYTES)
        most = max(LEAST_BYTES, self.largest + PIECE_BYTES)
        assert self.room.kept_bytes <= self.room.limit_bytes + 3 * most

    def teardown(self) -> None:
        for fanout in self.fanouts:
            fanout.close()
        assert self.room.kept_bytes == 0


FanoutMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=25)
TestFanout = FanoutMachine.TestCase
