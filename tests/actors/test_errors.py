import pytest

import actors
from actors.errors import ActorError, Draining, PoolError, Refusal


@pytest.mark.parametrize(
    "name",
    [
        "ActorCrashed",
        "ActorStopped",
        "AskTimeout",
        "ChildGaveUp",
        "Draining",
        "MailboxFull",
        "PoolError",
        "Refusal",
    ],
)
def test_every_error_is_caught_by_the_root(name: str) -> None:
    assert issubclass(getattr(actors, name), ActorError)


def test_draining_is_an_expected_refusal() -> None:
    assert issubclass(Draining, Refusal)


def test_a_pool_error_shows_what_happened_and_how_far_it_was() -> None:
    error = PoolError("reset", "the answer was truncated", phase="idle")
    assert (error.kind, error.phase, str(error)) == ("reset", "idle", "the answer was truncated")
    assert repr(error) == "PoolError(reset in idle: 'the answer was truncated')"
