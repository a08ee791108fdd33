"""The meaning of refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.dialects.faults import (
    cut_short,
    duration_s,
    mask_keys,
    overflow_words,
    retry_after_s,
    snippet,
    unreadable,
    upstream_error,
)

MEANINGS = [
    (400, "", "bad", "request", "invalid_request_error"),
    (422, "", "bad", "request", "invalid_request_error"),
    (401, "", "bad", "auth", "permission_error"),
    (498, "", "bad", "auth", "permission_error"),
    (403, "", "bad", "auth", "permission_error"),
    (400, "", "API key not valid. Please pass a valid API key.", "auth", "permission_error"),
    (402, "", "pay", "quota", "billing_error"),
    pytest.param(429, "insufficient_quota", "x", "quota", "billing_error", id="edge-167-quota"),
    pytest.param(429, "rate_limit_exceeded", "x", "rate_limit", "rate_limit_error", id="edge-167-rate"),
    (400, "", "Your credit balance is too low to access the API", "quota", "billing_error"),
    (403, "", "This request requires more credits", "quota", "billing_error"),
    (404, "model_not_found", "x", "model", "not_found_error"),
    (408, "", "x", "timeout", "timeout_error"),
    (409, "", "x", "server", "conflict_error"),
    (413, "", "too big", "request", "request_too_large"),
    (424, "", "x", "server", "api_error"),
    (500, "", "x", "server", "api_error"),
    pytest.param(
        500, "insufficient_system_resource", "x", "overload", "overloaded_error", id="edge-173-deepseek"
    ),
    (502, "", "x", "gateway", "api_error"),
    pytest.param(503, "", "x", "overload", "overloaded_error", id="edge-173-503"),
    (504, "", "x", "timeout", "timeout_error"),
    pytest.param(529, "", "x", "overload", "overloaded_error", id="edge-173-529"),
    (520, "", "x", "server", "api_error"),
    (418, "", "x", "request", "invalid_request_error"),
]


@pytest.mark.parametrize(("status", "code", "message", "fault", "type_"), MEANINGS)
def test_status_code_and_words_have_one_meaning(
    status: int, code: str, message: str, fault: str, type_: str
) -> None:
    error = upstream_error("p", status, message, code=code, body=b"raw")
    assert (error.fault, error.type, error.upstream_status, error.body) == (fault, type_, status, b"raw")


def test_a_refused_key_is_said_to_be_ours() -> None:
    error = upstream_error("groq", 401, "Invalid API Key")
    assert error.status == 403
    assert error.message == (
        "provider 'groq' refused UCR's API key for it: Invalid API Key (check providers.groq.api_key)"
    )


def test_what_our_key_may_not_do_is_said_without_blaming_the_client() -> None:
    assert upstream_error("groq", 403, "Not in your region").message == (
        "provider 'groq' does not permit this: Not in your region (check what the provider's api_key may do)"
    )


OVERFLOWS = [
    (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
        "9001 tokens > 8192 maximum",
    ),
    (
        "This endpoint's maximum context length is 204,800 tokens. However, you requested about 300,123 tokens "
        "(299,123 of text input, 1,000 in the output).",
        "300123 tokens > 204800 maximum",
    ),
    (
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
        "1048577 tokens > 1048576 maximum",
    ),
    (
        "Prompt contains 40000 tokens; too large for model with 32768 maximum context length",
        "40000 tokens > 32768 maximum",
    ),
    (
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        "537812 tokens > 131072 maximum",
    ),
    (
        "Invalid request: Your request exceeded model token limit: 8192 (requested: 9000)",
        "9000 tokens > 8192 maximum",
    ),
    ("prompt token count of 70123 exceeds the limit of 64000", "70123 tokens > 64000 maximum"),
    ("gpt-4-0613: maximum context length is 8192 tokens, you sent 8300 tokens", "8300 tokens > 8192 maximum"),
    (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. "
        "Given: 4000 `inputs` tokens and 1024 `max_new_tokens`",
        "5024 tokens > 4097 maximum",
    ),
]


@pytest.mark.parametrize(
    ("message", "numbers"), [pytest.param(*pair, id=f"edge-175-{i}") for i, pair in enumerate(OVERFLOWS)]
)
def test_an_overflow_is_worded_so_that_claude_code_compacts(message: str, numbers: str) -> None:
    error = upstream_error("p", 400, message)
    assert (error.fault, error.code) == ("overflow", "context_length_exceeded")
    assert error.message == f"prompt is too long: {numbers} ({message})"


@pytest.mark.parametrize(
    "message",
    [
        "Please reduce the length of the messages or completion.",
        "context_length_exceeded",
        "Input is too long for requested model.",
        "context window exceeds limit (2013)",
        "the request exceeds the available context size",
        "The decoder prompt is longer than the maximum model length",
        "Trying to keep the first 4097 tokens when context the overflows",
    ],
)
def test_an_overflow_without_clear_numbers_gets_the_words_alone(message: str) -> None:
    assert upstream_error("p", 400, message).message == f"prompt is too long: {message}"


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 205000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length",
    ],
)
def test_words_that_claude_code_knows_stay(message: str) -> None:
    assert overflow_words(message) == message


@given(message=st.text(max_size=80))
def test_any_words_can_be_reworded(message: str) -> None:
    assert message in overflow_words(message)


def test_a_limit_of_a_field_is_no_overflow() -> None:
    assert upstream_error("p", 400, "max_tokens: 64000 > 8192, which is the maximum allowed").fault == "request"


WAITS = [
    pytest.param({"retry-after": "7"}, 7, id="edge-177-seconds"),
    pytest.param({"retry-after": "0.2"}, 1, id="edge-177-float"),
    pytest.param({"retry-after": "0"}, 0, id="edge-177-zero"),
    pytest.param({"retry-after": "-3"}, None, id="edge-177-negative"),
    pytest.param({"retry-after": "86400"}, 86400, id="edge-177-day"),
    pytest.param({"retry-after": "soon"}, None, id="edge-177-words"),
    pytest.param({"retry-after": "inf"}, None, id="edge-177-infinite"),
    pytest.param({"retry-after-ms": "1500", "retry-after": "9"}, 2, id="edge-177-milliseconds"),
    pytest.param(
        {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
        30,
        id="edge-177-date",
    ),
    pytest.param(
        {"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
        0,
        id="edge-177-past",
    ),
    pytest.param({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None, id="edge-177-date-without-a-clock"),
    pytest.param({}, None, id="nothing"),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS)
def test_the_wait_is_read_in_whole_seconds(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after_s(headers) == seconds
    assert upstream_error("p", 429, "x", headers=headers).retry_after_s == seconds


def test_a_date_is_counted_from_the_clock_that_is_given() -> None:
    assert retry_after_s({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now_unix_s=20.5) == 40


@pytest.mark.parametrize(
    ("status", "headers", "stated_s", "seconds"),
    [
        (429, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, None, 360),
        (429, {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, None, 1),
        (429, {"x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "6m0s"}, None, None),
        (400, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, None, None),
        (429, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 5, 5),
        (429, {"retry-after": "3"}, 5, 3),
        (503, {}, 5, 5),
    ],
)
def test_a_header_comes_before_the_body_and_the_body_before_resets(
    status: int, headers: dict[str, str], stated_s: int | None, seconds: int | None
) -> None:
    assert upstream_error("p", status, "x", headers=headers, retry_s=stated_s).retry_after_s == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120ms", 1),
        ("1s", 1),
        ("6m0s", 360),
        ("1h2m3.5s", 3724),
        ("7", 7),
        ("34.07s", 35),
        ("", None),
        ("x", None),
        ("1.2.3s", None),
        ("-4", None),
    ],
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: int | None) -> None:
    assert duration_s(text) == seconds


@given(text=st.text(max_size=20) | st.from_regex(r"[0-9hms.\-e]{1,12}", fullmatch=True))
def test_any_text_is_a_duration_or_none(text: str) -> None:
    seconds = duration_s(text)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param(
            "Incorrect API key provided: sk-ab12****wxyz.", "Incorrect API key provided: [key].", id="edge-184"
        ),
        pytest.param("key gsk_abcdEFGH1234 is bad", "key [key] is bad", id="edge-184-groq"),
        pytest.param("AIzaSyD-abc_123456", "[key]", id="edge-184-google"),
        pytest.param("Authorization: Bearer abcdef123456", "Authorization: [key]", id="edge-184-bearer"),
        pytest.param("token eyJhbGciOiJI.eyJzdWIi.c2ln", "token [key]", id="edge-184-jwt"),
        pytest.param(
            "keep key-value pairs, skip keywords and sk-learn",
            "keep key-value pairs, skip keywords and sk-learn",
            id="words",
        ),
        pytest.param("skipping keyboard_layout_1", "skipping keyboard_layout_1", id="more-words"),
    ],
)
def test_keys_are_masked_and_words_are_not(text: str, masked: str) -> None:
    assert mask_keys(text) == masked


def test_a_page_is_shown_by_its_first_words() -> None:
    head = b"<html><head><style>p {x}</style><script>f()</script></head>"
    page = head + b"<body><h1>502</h1>\n Bad <b>gateway</b></body></html>"
    assert snippet(page) == "502 Bad gateway"
    assert len(snippet(b"word " * 1000)) == 200


@pytest.mark.parametrize("status", [pytest.param(500, id="edge-172")])
def test_an_error_without_words_names_provider_and_status(status: int) -> None:
    assert upstream_error("p", status, " ").message == "provider 'p' answered 500 without a message"


def test_broken_answers_are_the_providers_fault() -> None:
    error = unreadable("p", "answered what is not JSON", b"<p>x</p>")
    assert (error.type, error.fault, error.message) == (
        "api_error",
        "protocol",
        "provider 'p' answered what is not JSON: x",
    )
    assert (cut_short("p").type, cut_short("p").fault) == ("api_error", "midstream")


def test_a_quota_that_comes_back_by_itself_is_a_rate_limit() -> None:
    words = "You exceeded your current quota, please check your plan and billing details."
    limited = upstream_error("p", 429, words, code="RESOURCE_EXHAUSTED", retry_s=34)
    assert (limited.status, limited.fault, limited.retry_after_s) == (429, "rate_limit", 34)
    assert upstream_error("p", 429, words, code="insufficient_quota", retry_s=34).fault == "quota"
    assert upstream_error("p", 429, words, code="RESOURCE_EXHAUSTED").fault == "quota"
