import gc

import pytest

from ucr.loading import undisturbed


def test_what_is_loaded_is_not_looked_at_and_the_collector_works_on() -> None:
    before = gc.get_freeze_count()
    try:
        with undisturbed():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()


def test_the_collector_works_on_when_something_cannot_be_loaded() -> None:
    try:
        with pytest.raises(ImportError), undisturbed():
            raise ImportError("no such module")
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_who_has_stopped_the_collector_finds_it_stopped() -> None:
    gc.disable()
    try:
        with undisturbed():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
