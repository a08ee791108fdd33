import trio

from ucr.stress.real.rest import settled


async def test_descriptors_are_settled_when_they_are_as_few_as_before_or_change_no_more(
    autojump_clock: object,
) -> None:
    seen = iter([9, 9, 8, 5, 5, 5])

    def count() -> dict[int, int]:
        return {1: next(seen)}

    assert await settled(count, {1: 5}, 60.0) == {1: 5}
    assert trio.current_time() < 2


async def test_descriptors_that_never_settle_are_told_after_the_limit(autojump_clock: object) -> None:
    started = trio.current_time()
    assert await settled(lambda: {1: 9}, {1: 5}, 10.0) == {1: 9}
    assert trio.current_time() - started >= 10
