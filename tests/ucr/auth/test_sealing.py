import json
from typing import Any

import pytest

from ucr.auth.grant import Unusable
from ucr.auth.sealing import NAME, SERVICE, Passphrase, Stored, opened, salt_of, seal_of, sealed
from ucr.secret import Secret

TEXT = b'{"version":1}'
SEAL = Passphrase(Secret("correct horse"))


class Store:
    """A key store in memory."""

    def __init__(self, key: str | None = None) -> None:
        self.kept = {} if key is None else {(SERVICE, NAME): key}

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self.kept[service, name] = password


def fields_of(box: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(box)
    return fields


def test_what_is_sealed_with_a_passphrase_opens_with_it_and_shows_nothing() -> None:
    box = sealed(SEAL, TEXT)
    assert opened(Passphrase(Secret("correct horse")), fields_of(box)) == TEXT
    assert b"version" in box
    assert TEXT not in box


def test_a_file_keeps_its_salt_and_never_its_nonce() -> None:
    first = fields_of(sealed(SEAL, TEXT))
    second = fields_of(sealed(SEAL, TEXT, salt_of(first)))
    assert first["salt"] == second["salt"]
    assert first["nonce"] != second["nonce"]
    assert first["data"] != second["data"]


def test_a_wrong_passphrase_says_so() -> None:
    with pytest.raises(Unusable, match="UCR_PASSPHRASE is not the one"):
        opened(Passphrase(Secret("wrong")), fields_of(sealed(SEAL, TEXT)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": "AAAA" * 10}, "does not open"),
        ({"data": "?"}, "damaged"),
        ({"nonce": "00"}, "damaged"),
        ({"salt": "zz"}, "damaged"),
        ({"salt": "00" * 16}, "does not open"),
        ({"nonce": None}, "nonce is missing"),
    ],
)
def test_a_damaged_box_says_so(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Unusable, match=words):
        opened(SEAL, fields_of(sealed(SEAL, TEXT)) | change)


def test_a_box_that_is_sealed_otherwise_says_what_opens_it() -> None:
    with pytest.raises(Unusable, match="set UCR_PASSPHRASE"):
        opened(None, fields_of(sealed(SEAL, TEXT)))
    with pytest.raises(Unusable, match="UCR_KEY_STORE=1"):
        opened(SEAL, fields_of(sealed(Stored(Store()), TEXT)))
    with pytest.raises(Unusable, match="does not know it"):
        opened(SEAL, fields_of(sealed(SEAL, TEXT)) | {"sealed_with": "wax"})


def test_a_key_store_is_given_a_key_once() -> None:
    store = Store()
    box = sealed(Stored(store), TEXT)
    (key,) = store.kept.values()
    assert len(bytes.fromhex(key)) == 32
    assert opened(Stored(store), fields_of(box)) == TEXT
    assert list(store.kept.values()) == [key]
    with pytest.raises(Unusable, match="does not open"):
        opened(Stored(Store()), fields_of(box))


@pytest.mark.parametrize("key", ["no hex", "00"])
def test_a_key_that_is_none_is_not_replaced(key: str) -> None:
    with pytest.raises(Unusable, match="no good key"):
        sealed(Stored(Store(key)), TEXT)


def test_the_environment_says_what_is_sealed_with() -> None:
    assert seal_of({}) is None
    assert seal_of({"UCR_KEY_STORE": "0"}) is None
    assert isinstance(seal_of({"UCR_PASSPHRASE": "x", "UCR_KEY_STORE": "1"}), Passphrase)
    assert isinstance(seal_of({"UCR_KEY_STORE": "1"}), Stored)
