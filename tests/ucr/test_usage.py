from ucr.dialects.roles import Summary
from ucr.events import Usage
from ucr.record import Record
from ucr.usage import LARGEST, NAME_CHARS, UsageRow, row_of


def test_a_row_has_who_asked_whom_the_tokens_and_the_cost_and_no_more() -> None:
    record = Record("req_1", "0", 0.0, lambda: 0.0, client="a", provider="up", model_used="m", status=200)
    record.session_id, record.cost_nano, record.cache = "s" * 999, 7, "miss"
    record.summary = Summary(Usage(1, 2, 3, 4))
    row = row_of(record, 99.5)
    assert row == UsageRow(99.5, "a", "s" * NAME_CHARS, "up", "m", 200, "miss", 1, 2, 3, 4, 7)


def test_what_is_not_known_stays_unknown() -> None:
    row = row_of(Record("req_1", "0", 0.0, lambda: 0.0, provider="up"), 1.0)
    assert (row.client, row.session, row.input_tokens, row.cost_nano) == (None, None, None, None)


def test_numbers_that_no_file_takes_are_bounded() -> None:
    record = Record("req_1", "0", 0.0, lambda: 0.0, provider="up")
    record.cost_nano, record.summary = 2**70, Summary(Usage(2**64, 2**63, 2**63 - 1, None))
    row = row_of(record, 1.0)
    assert (row.input_tokens, row.output_tokens, row.cache_read_tokens) == (LARGEST,) * 3
    assert (row.cache_write_tokens, row.cost_nano) == (None, LARGEST)
