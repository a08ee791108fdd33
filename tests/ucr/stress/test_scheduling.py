"""The scheduler draws the same lots for the same seed, and only then."""

import trio

from ucr.stress.scheduling import deterministic_scheduling


def order_of(seed: int) -> list[int]:
    order: list[int] = []

    async def note(number: int) -> None:
        order.append(number)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(note, number)

    with deterministic_scheduling(seed):
        trio.run(main)
    return order


def test_the_same_seed_schedules_alike() -> None:
    assert order_of(7) == order_of(7)


def test_another_seed_schedules_otherwise() -> None:
    assert order_of(7) != order_of(8)
