from actors import ActorError
from actors.redis_reply import RedisGone, Refused


def test_a_server_that_is_gone_is_an_error_of_this_library() -> None:
    assert issubclass(RedisGone, ActorError)


def test_a_refusal_is_the_words_of_the_server_and_no_value() -> None:
    said = Refused("OOM command not allowed")
    assert said == "OOM command not allowed"
    assert not isinstance(said, bytes)
