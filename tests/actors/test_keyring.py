from collections import Counter, defaultdict, deque
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.keyring import Cooling, Keyring, KeyStatus, rest_s
from actors.lease import Failure


def test_the_key_with_the_least_work_is_taken() -> None:
    keys = Keyring(3)
    assert [keys.take(0) for _ in range(3)] == [0, 1, 2]
    keys.give_back(1)
    assert keys.take(0) == 1


def test_of_keys_with_the_same_work_the_one_used_longest_ago_is_taken() -> None:
    keys = Keyring(2)
    taken = []
    for _ in range(4):
        key = keys.take(0)
        assert key is not None
        taken.append(key)
        keys.give_back(key)
    assert taken == [0, 1, 0, 1]


def test_a_group_keeps_its_key_whatever_the_load() -> None:
    keys = Keyring(4)
    first = keys.take(0, group="session")
    assert first is not None
    assert [keys.take(0, group="session") for _ in range(5)] == [first] * 5
    assert keys.take(0) != first


def test_a_group_has_another_key_only_while_its_own_rests() -> None:
    keys = Keyring(4)
    first = keys.take(0, group="session")
    assert first is not None
    keys.cool(first, 10, "rate_limit")
    second = keys.take(5, group="session")
    assert second is not None
    assert second != first
    assert keys.take(9, group="session") == second
    assert keys.take(10, group="session") == first


def share_of_one_key(*, grouped: bool) -> float:
    """Return the share of a session's requests that meet the same key, of sixty sessions side by side."""
    keys, used, running = Keyring(3), defaultdict[int, list[int]](list), deque[int]()
    dice = Random(0)
    for _ in range(1200):
        session = dice.randrange(60)
        key = keys.take(0, f"session-{session}" if grouped else "")
        assert key is not None
        used[session].append(key)
        running.append(key)
        while len(running) > dice.randrange(1, 12):
            keys.give_back(running.popleft())
    return sum(max(Counter(taken).values()) for taken in used.values()) / 1200


def test_what_a_session_gains() -> None:
    assert share_of_one_key(grouped=False) < 0.5
    assert share_of_one_key(grouped=True) == 1.0


def test_a_key_that_rests_is_not_taken() -> None:
    keys = Keyring(2)
    assert keys.cool(0, 10, "rate_limit")
    assert [keys.take(5), keys.take(9)] == [1, 1]
    assert keys.cool(1, 20, "auth")
    assert (keys.has_free(9.9), keys.take(9.9)) == (False, None)
    assert keys.soonest() == Cooling(10, "rate_limit")
    assert (keys.has_free(10), keys.take(10)) == (True, 0)
    assert keys.status() == (KeyStatus(), KeyStatus(20, "auth"))


def test_a_rest_is_never_made_shorter_and_an_unknown_key_has_none() -> None:
    keys = Keyring(1)
    assert keys.cool(0, 10, "quota")
    assert not keys.cool(0, 5, "rate_limit")
    assert not keys.cool(1, 10, "rate_limit")
    assert keys.soonest().kind == "quota"


def test_an_upstream_without_keys_can_rest_as_well() -> None:
    keys = Keyring(0)
    assert (len(keys), keys.take(0)) == (1, 0)
    keys.cool(0, 10, "rate_limit")
    assert keys.take(5) is None
    assert repr(keys) == "<Keyring [1], 1 cooling>"


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (Failure("rate_limit"), 5),
        (Failure("rate_limit", 20), 20),
        (Failure("rate_limit", 0.01), 1),
        (Failure("rate_limit", -7), 1),
        (Failure("rate_limit", 10**9), 60),
        (Failure("quota"), 60),
        (Failure("auth", 1), 60),
    ],
)
def test_a_rest_lasts_as_long_as_was_asked_for_within_bounds(failure: Failure, seconds: float) -> None:
    assert rest_s(failure) == seconds


@given(st.lists(st.one_of(st.none(), st.integers(0, 3), st.floats(0.1, 5)), max_size=60))
def test_no_key_has_two_more_than_another_that_is_free(steps: list[int | float | None]) -> None:
    """None takes a key, a whole number gives one back, another number is how long the next key rests."""
    keys, loads, now = Keyring(4), [0, 0, 0, 0], 0.0
    for step in steps:
        now += 0.5
        if step is None:
            free = [load for key, load in enumerate(loads) if now >= _until(keys, key)]
            key = keys.take(now)
            assert (key is not None) == bool(free)
            if key is not None:
                assert loads[key] == min(free)
                loads[key] += 1
        elif isinstance(step, int):
            if loads[step]:
                keys.give_back(step)
                loads[step] -= 1
        else:
            keys.cool(int(now * 2) % 4, now + step, "rate_limit")


def _until(keys: Keyring, key: int) -> float:
    return keys.status()[key].cooling_until or 0.0


def test_a_key_is_alone_while_there_is_no_other_and_it_does_not_rest() -> None:
    keys = Keyring(1)
    assert keys.is_alone
    assert not Keyring(2).is_alone
    keys.cool(0, 10, "rate_limit")
    assert not keys.is_alone
    assert keys.take(9) is None
    assert not keys.is_alone
    assert keys.take(10) == 0
    assert keys.is_alone
