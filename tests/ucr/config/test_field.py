"""The kinds of value that several tables share."""

import pytest

from ucr.config.field import COUNT, NAMES, SECONDS, Field
from ucr.config.kinds import Kind, Wrong


@pytest.mark.parametrize(
    ("kind", "value"),
    [(COUNT, 0), (COUNT, 1.5), (COUNT, "3"), (SECONDS, 0), (SECONDS, 86_401), (NAMES, "a"), (NAMES, [""])],
)
def test_what_does_not_fit_a_shared_kind_is_refused(kind: Kind, value: object) -> None:
    with pytest.raises(Wrong):
        kind.read(value)


def test_a_key_is_optional_and_in_use_unless_said_otherwise() -> None:
    entry = Field("wait_s", SECONDS, 1.0, "How long.", "s")
    assert not entry.is_required
    assert entry.kind.read(2) == 2.0
