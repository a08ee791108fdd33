import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.dialects.tool_ids import PREFIX, alnum9, is_numbered, mint, to_client, to_upstream


@pytest.mark.parametrize("id_", ["call_abc", "toolu_01AB-cd", "0", "x" * 90])
def test_an_id_that_clients_accept_stays(id_: str) -> None:
    assert to_client(id_) == id_
    assert to_upstream(id_) == id_


def test_an_id_of_kimi_travels_packed() -> None:
    packed = to_client("functions.get_weather:0")
    assert packed == "ucrx_ZnVuY3Rpb25zLmdldF93ZWF0aGVyOjA"
    assert to_upstream(packed) == "functions.get_weather:0"


@pytest.mark.parametrize("id_", ["functions.get_weather:0", "functions.f:12", "call_1", "tool_call_0", "7"])
def test_an_id_may_only_number_the_calls_of_a_conversation(id_: str) -> None:
    assert is_numbered(to_client(id_))


@pytest.mark.parametrize(
    "id_", ["call_00_aXb9Q", "toolu_01ABcd", "chatcmpl-tool-5f2e0c", "123456789", "fc_68a1f0"]
)
def test_other_ids_are_those_of_one_call(id_: str) -> None:
    assert not is_numbered(to_client(id_))


def test_an_id_that_looks_packed_already_is_packed_again() -> None:
    assert to_upstream(to_client("ucrx_YQ")) == "ucrx_YQ"


@pytest.mark.parametrize("id_", ["ucrx_", "ucrx_!!!", "ucrx_YWJj", "ucrx__w", "ucrx_YQ=="])
def test_an_id_that_was_not_packed_here_is_left_alone(id_: str) -> None:
    assert to_upstream(id_) == id_


@settings(max_examples=200)
@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_every_id_comes_back_and_clients_accept_it(id_: str) -> None:
    packed = to_client(id_)
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", packed)
    assert to_upstream(packed) == id_


def test_a_minted_id_depends_on_its_seed_alone() -> None:
    assert mint("msg_1/0") == mint("msg_1/0")
    assert mint("msg_1/0") != mint("msg_1/1")
    assert re.fullmatch(r"toolu_[a-zA-Z0-9]{24}", mint(""))


@pytest.mark.parametrize(
    "id_", [pytest.param("toolu_01AbCd", id="edge-133"), "functions.x:0", PREFIX, "", "abc-efghi"]
)
def test_mistral_gets_nine_letters_and_digits_always_the_same(id_: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9]{9}", alnum9(id_))
    assert alnum9(id_) == alnum9(id_)


def test_mistrals_own_id_stays() -> None:
    assert alnum9("D681PevKs") == "D681PevKs"
