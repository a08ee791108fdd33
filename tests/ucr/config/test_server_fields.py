"""The keys of `[server]`: their limits and defaults."""

import pytest

from ucr.config.kinds import Number, Wrong
from ucr.config.model import Server
from ucr.config.server_fields import PORT, SERVER, WORKERS


def test_a_default_that_the_reference_shows_is_that_of_the_model() -> None:
    model = Server()
    for entry in SERVER.fields:
        shown = entry.default
        if isinstance(shown, int | float):
            assert getattr(model, entry.key) == shown


@pytest.mark.parametrize(("kind", "value"), [(PORT, -1), (PORT, 65_536), (WORKERS, 0), (WORKERS, 65)])
def test_numbers_beyond_what_a_machine_has_are_refused(kind: Number, value: int) -> None:
    with pytest.raises(Wrong):
        kind.read(value)
