import pytest

from ucr.dialects.bedrock.exceptions import decode_error, in_stream, status_of
from ucr.dialects.bedrock.frames import Frame


@pytest.mark.parametrize(
    ("status", "name", "body", "type_", "fault"),
    [
        (
            400,
            "ValidationException:http://internal.amazon.com/x",
            b'{"message":"no"}',
            "invalid_request_error",
            "request",
        ),
        (400, "", b'{"message":"Input is too long for requested model."}', "invalid_request_error", "overflow"),
        (403, "AccessDeniedException", b'{"Message":"no"}', "permission_error", "auth"),
        (404, "com.amazon#ResourceNotFoundException", b'{"message":"no"}', "not_found_error", "model"),
        (400, "ServiceQuotaExceededException", b'{"message":"no"}', "rate_limit_error", "rate_limit"),
        (429, "ModelNotReadyException", b'{"message":"no"}', "overloaded_error", "overload"),
        (408, "ModelTimeoutException", b'{"message":"no"}', "timeout_error", "timeout"),
        (424, "ModelErrorException", b'{"originalMessage":"no"}', "api_error", "server"),
        (503, "", b"<html>down</html>", "overloaded_error", "overload"),
        (500, "", b"", "api_error", "server"),
    ],
)
def test_a_refusal_means_what_its_name_says(
    status: int, name: str, body: bytes, type_: str, fault: str
) -> None:
    headers = {"x-amzn-errortype": name} if name else {}
    error = decode_error("p", status, headers, body)
    assert (error.type, error.fault) == (type_, fault)
    assert error.message


def test_an_exception_in_a_stream_has_words_or_its_name() -> None:
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    told = in_stream("p", Frame(headers, b'{"message":"slow down"}'))
    assert (told.type, told.fault, told.message) == ("rate_limit_error", "rate_limit", "slow down")
    silent = in_stream("p", Frame(headers, b"{}"))
    assert silent.message == "provider 'p' ended its answer in 'throttlingException'"
    assert in_stream("p", Frame({**headers, ":error-message": "w"}, b"[1]")).message in ("w", "[1]")


def test_what_is_not_known_keeps_its_status() -> None:
    assert (status_of("Novel", 418), status_of("Novel"), status_of("THROTTLINGexception", 418)) == (
        418,
        500,
        429,
    )
