import json
from pathlib import Path

from ucr.journal.entry import Entry
from ucr.journal.file import NAME, JournalFile
from ucr.kept_file import Bounds
from ucr.ui.past import SPANS, Past

NOW_S = 1_800_000_000.0


def account(number: int) -> str:
    told = {
        "request_id": f"req_{number}",
        "total_ms": 10.0,
        "ttfb_ms": None,
        "considered": [],
        "path": "/v1/messages",
    }
    return json.dumps({**told, "headers": {}, "query": "", "cut": []})


def write(folder: Path, *ages_s: float) -> None:
    file = JournalFile(folder / NAME, Bounds(1e9, 2**30))
    entries = [
        Entry(
            NOW_S - age_s,
            f"req_{at}",
            "up",
            200 + 300 * (at % 2),
            bool(at % 2),
            account(at),
            "asked",
            "answered",
        )
        for at, age_s in enumerate(ages_s)
    ]
    file.write(entries, NOW_S)
    file.close()


async def test_the_latest_come_first_without_what_was_said(autojump_clock: object, tmp_path: Path) -> None:
    write(tmp_path, 3, 2, 1)
    past = Past(tmp_path)
    latest = await past.latest(2, errors=False)
    assert latest is not None
    assert [one["request_id"] for one in latest] == ["req_2", "req_1"]
    assert latest[0].keys() == {"at", "request_id", "total_ms", "ttfb_ms", "considered"}
    assert await past.latest(9, errors=True) == [latest[1]]
    assert await past.one("req_2") == latest[0]
    assert await past.one("req_9") is None


async def test_times_are_cut_in_equal_spans_with_the_empty_ones(autojump_clock: object, tmp_path: Path) -> None:
    write(tmp_path, 3599, 1, 1)
    found = await Past(tmp_path).spans(NOW_S, 60)
    assert found is not None
    assert (found["width_s"], found["is_whole"], len(found["at"]), found["at"][-1]) == (30, True, SPANS, NOW_S)
    assert found["requests"] == [1 / 30, *[0.0] * (SPANS - 2), 2 / 30]
    assert (found["errors"][-1], found["total_p50"][-2:]) == (1 / 30, [None, 10.0])
    few = await Past(tmp_path).spans(NOW_S, 5)
    assert few is not None
    assert (few["width_s"], few["requests"][-1]) == (10, 0.2)


async def test_no_folder_and_no_file_are_no_past(autojump_clock: object, tmp_path: Path) -> None:
    for past in (Past(None), Past(tmp_path / "nowhere")):
        assert await past.latest(9, errors=False) is None
        assert await past.one("req_1") is None
        assert await past.spans(NOW_S, 60) is None
