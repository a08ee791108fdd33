from pathlib import Path

import pytest
from bench_main import NAMES, PEERS, parse, short_names, write
from bench_report import Report


def test_everything_is_measured_unless_something_is_chosen() -> None:
    assert parse([]).names == set(NAMES)
    assert parse(["--short"]).names == set(short_names())
    assert parse(["--short", "--only", "large", "--only", "start"]).names == {"large", "start"}


def test_the_short_form_has_fewer_and_shorter_rounds_which_can_be_chosen() -> None:
    short, full = parse(["--short"]), parse([])
    assert short.rounds * short.seconds < full.rounds * full.seconds
    assert (parse(["--rounds", "7", "--seconds", "9"]).rounds, parse(["--seconds", "9"]).seconds) == (7, 9)


def test_what_is_unknown_is_refused_with_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--only", "tiny"])
    assert "nothing is called tiny; there are small," in capsys.readouterr().err


def test_a_report_without_figures_is_written_without_pictures(tmp_path: Path) -> None:
    write(Report("a machine", True), tmp_path / "new" / "folder")
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == ["report.json", "report.md"]


def test_no_peer_is_measured_unless_it_is_wanted() -> None:
    assert parse([]).peers == frozenset()
    assert parse(["--peers"]).peers == set(PEERS)
    assert parse(["--peers", "smg", "rolter"]).peers == {"smg", "rolter"}
