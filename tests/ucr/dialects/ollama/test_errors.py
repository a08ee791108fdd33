from ucr.dialects.ollama.errors import body_of, line_of
from ucr.errors import ApiError

ERROR = ApiError("not_found_error", "no such model")


def test_an_error_is_its_words() -> None:
    assert body_of(ERROR) == b'{"error":"no such model"}'
    assert line_of(ERROR) == b'{"error":"no such model"}\n'
