"""The secret of the cache: the configured one, one that is kept with the answers, or one of this process alone."""

import stat
from pathlib import Path

import pytest

from ucr.cache_secret import SECRET_BYTES, new_secret, secret_of
from ucr.config.model import Cache
from ucr.secret import Secret

SHARED = Secret("a shared secret, which is long enough")


def test_without_a_file_it_is_the_one_that_was_made() -> None:
    assert secret_of(Cache(), b"made") == b"made"
    assert new_secret() != new_secret()


def test_a_configured_one_is_the_same_everywhere_and_not_used_as_it_is(tmp_path: Path) -> None:
    one = secret_of(Cache(secret=SHARED), new_secret())
    assert one == secret_of(Cache(secret=SHARED, path=str(tmp_path / "a")), new_secret())
    assert len(one) == SECRET_BYTES
    assert SHARED.reveal().encode() not in one
    assert list(tmp_path.iterdir()) == []


def test_beside_a_file_it_is_kept_for_this_user_alone(tmp_path: Path) -> None:
    cache = Cache(path=str(tmp_path / "state" / "answers"))
    made = new_secret()
    assert secret_of(cache, made) == made
    assert secret_of(cache, new_secret()) == made
    (file,) = (tmp_path / "state").iterdir()
    assert file.name == "answers.secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("written", ["", "nonsense", "00" * 31, "é"])
def test_a_file_that_holds_none_is_replaced(tmp_path: Path, written: str) -> None:
    (tmp_path / "answers.secret").write_text(written)
    cache = Cache(path=str(tmp_path / "answers"))
    made = new_secret()
    assert secret_of(cache, made) == made == secret_of(cache, new_secret())


def test_where_it_cannot_be_kept_the_cache_works_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert secret_of(Cache(path=str(tmp_path / "file" / "answers")), b"made") == b"made"
