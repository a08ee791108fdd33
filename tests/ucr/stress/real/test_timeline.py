import trio

from ucr.stress.real.load import Shot, Verdict
from ucr.stress.real.timeline import Happening, Slice, Timeline


def shot(verdict: Verdict, took_s: float, finished_at: float) -> Shot:
    return Shot("m", verdict, finished_at - took_s, finished_at)


async def test_each_half_second_has_the_numbers_of_what_ended_in_it(autojump_clock: object) -> None:
    timeline, began = Timeline(), trio.current_time()
    await trio.sleep(2)
    timeline.add([shot("ok", took_s, began + 0.1) for took_s in (0.1, 0.3, 0.2)])
    timeline.add([shot("lost", 1.0, began + 1.6), shot("ok", 0.5, began + 1.9)])
    course = timeline.course()
    assert course.length_s == 2
    assert [(one.at_s, one.ok, one.wrong) for one in course.slices] == [(0.0, 3, 0), (1.5, 1, 1)]
    first = course.slices[0]
    assert [round(value, 3) for value in (first.p50_s, first.p95_s, first.longest_s)] == [0.2, 0.3, 0.3]


async def test_where_nothing_went_well_there_are_no_times(autojump_clock: object) -> None:
    timeline = Timeline()
    timeline.add([shot("error", 1.0, trio.current_time())])
    assert timeline.course().slices == (Slice(0.0, 0, 1),)


async def test_an_hour_is_kept_in_as_many_numbers_as_it_has_half_seconds(autojump_clock: object) -> None:
    timeline = Timeline()
    for _ in range(3600):
        await trio.sleep(1)
        timeline.add([shot("ok", 0.1, trio.current_time() - 0.3)] * 10)
        assert not timeline.waiting
    assert len(timeline.course().slices) == 3600


async def test_chapters_and_faults_have_their_times(autojump_clock: object) -> None:
    timeline = Timeline()
    await trio.sleep(1)
    timeline.begin("R1")
    await trio.sleep(1)
    timeline.mark("kill")
    course = timeline.course()
    assert (course.chapters, course.faults) == ((Happening(1.0, "R1"),), (Happening(2.0, "kill"),))
