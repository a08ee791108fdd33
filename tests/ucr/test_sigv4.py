import pytest

from ucr.secret import Secret
from ucr.sigv4 import AwsKeys, HeaderList, Signer

KEYS = AwsKeys(Secret("AKIDEXAMPLE"), Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
SUITE_S = 1440938160.0
"""2015-08-30 12:36:00 UTC, when Amazon's published test suite is signed."""
HOST: HeaderList = (("host", "example.amazonaws.com"),)
FORM = (*HOST, ("content-type", "application/x-www-form-urlencoded"))
MODEL = "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fabc/converse-stream"
NOW_S = 1795694400.0


def signature(headers: HeaderList) -> str:
    return dict(headers)["authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "expected"),
    [
        ("GET", "/", HOST, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", HOST, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            HOST,
            b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/?%E1%88%B4=bar",
            HOST,
            b"",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "POST",
            "/",
            FORM,
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
    ids=["get-vanilla", "post-vanilla", "query-order-key", "query-utf8", "post-form"],
)
def test_the_signatures_of_the_published_test_suite_come_out(
    method: str, path: str, headers: HeaderList, body: bytes, expected: str
) -> None:
    signer = Signer(KEYS, "us-east-1", "service")
    assert signature(signer.headers(method, path, headers, body, SUITE_S)) == expected


@pytest.mark.parametrize(
    ("token", "names", "expected"),
    [
        (None, "host;x-amz-date", "f6afacb12c4b6ba1a0bf1943da93b8ed9000f5c780938144382f295fe5bd1f76"),
        (
            "a/session+token==",
            "host;x-amz-date;x-amz-security-token",
            "6310398990cc4578e56015edc1156ccfe3fd20a2919adb213f6218f6655f7c93",
        ),
    ],
)
def test_a_request_to_bedrock_is_signed_as_amazons_own_library_signs_it(
    token: str | None, names: str, expected: str
) -> None:
    """The signatures are those of botocore 1.43.11."""
    keys = AwsKeys(KEYS.access_key_id, KEYS.secret_access_key, None if token is None else Secret(token))
    signer = Signer(keys, "eu-west-1", "bedrock")
    host = (("host", "bedrock-runtime.eu-west-1.amazonaws.com"),)
    headers = signer.headers("POST", MODEL, host, '{"a":"ä"}'.encode(), NOW_S)
    lent = () if token is None else (("x-amz-security-token", token),)
    assert headers[:-1] == (("x-amz-date", "20261126T120000Z"), *lent)
    assert f"SignedHeaders={names}, " in headers[-1][1]
    assert signature(headers) == expected


def test_the_key_of_the_day_is_derived_anew_on_the_next() -> None:
    signer, fresh = Signer(KEYS, "us-east-1", "bedrock"), Signer(KEYS, "us-east-1", "bedrock")
    first = signer.headers("POST", "/", HOST, b"", NOW_S)
    assert signer.headers("POST", "/", HOST, b"", NOW_S + 86_400) == fresh.headers(
        "POST", "/", HOST, b"", NOW_S + 86_400
    )
    assert signer.headers("POST", "/", HOST, b"", NOW_S) == first


def test_nothing_of_a_key_is_shown() -> None:
    keys = AwsKeys(Secret("AKIDEXAMPLE"), Secret("the-secret"), Secret("the-token"))
    assert [secret.reveal() for secret in keys.secrets] == ["the-secret", "the-token", "AKIDEXAMPLE"]
    shown = repr(keys) + repr(Signer(keys, "us-east-1", "bedrock"))
    assert not any(word in shown for word in ("AKID", "the-secret", "the-token"))
