"""What providers are told of a trace."""

import pytest

from ucr.observe.trace import Trace


@pytest.mark.parametrize(("is_sampled", "flags"), [(True, "01"), (False, "00")])
def test_the_header_names_trace_and_span_and_whether_it_is_recorded(is_sampled: bool, flags: str) -> None:
    trace = Trace(0xABC, is_sampled, lambda: 1)
    (header,) = trace.parent(0xD)
    assert header == ("traceparent", f"00-{'0' * 29}abc-{'0' * 15}d-{flags}")
