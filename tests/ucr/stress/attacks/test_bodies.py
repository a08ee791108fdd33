import json

from ucr.stress.attacks.bodies import BODIES, GOOD, BadBody, written


def test_a_body_is_declared_as_long_as_it_is_unless_it_says_otherwise() -> None:
    assert b"content-length: 3\r\n" in BadBody(b"abc").request("/v1/messages")
    assert b"content-length: 900\r\n" in BadBody(b"abc", declared=900).request("/v1/messages")


def test_what_is_written_is_the_json_of_the_body() -> None:
    assert json.loads(written({**GOOD, "model": "other"})) == {**GOOD, "model": "other"}


def test_a_row_is_refused_or_read_and_never_a_fault_of_the_router() -> None:
    assert {status for row in BODIES.values() for status in row.statuses} <= {200, 400, 408, 411, 413, 415}
