"""The failure catalogue, 1 to 23: what goes wrong before the first byte of an answer."""

import pytest

from tests.world.catalogue import TIMES, Case, Dialect, Told, each, see_alone, see_helped
from ucr.stress.failing import faults
from ucr.stress.network import Hang, Refuse, Silent, Unresolved

pytestmark = pytest.mark.usefixtures("both_lanes")

LATE = Told(504, "timeout_error")
BROKEN = Told(500, "api_error")
FULL = Told(529, "overloaded_error")

CASES = (
    Case(1, "refused", Refuse(), *[Told(529, "overloaded_error", retry_after="1")] * 2),
    Case(2, "connect-hangs", Hang(), LATE, LATE, within_s=TIMES.connect_s),
    Case(3, "never-answers", faults.is_silent, LATE, LATE, within_s=TIMES.first_byte_s),
    Case(4, "accept-queue-only", Silent(), LATE, LATE, within_s=TIMES.first_byte_s),
    Case(5, "head-only", faults.says_head_only, LATE, None, within_s=TIMES.idle_s),
    Case(6, "reset", faults.resets, BROKEN, BROKEN),
    Case(6, "closed", faults.closes, BROKEN, BROKEN),
    *(
        Case(
            entry,
            f"status-{status}{name}",
            faults.refuses(status, fields, type_=said),
            told,
            told,
            passes_on=on,
        )
        for entry, status, name, fields, said, told, on in (
            (
                8,
                429,
                "",
                (("retry-after", "7"),),
                "rate_limit_error",
                Told(429, "rate_limit_error", "", "7"),
                True,
            ),
            (9, 429, "-bare", (), "rate_limit_error", Told(429, "rate_limit_error"), True),
            (
                9,
                429,
                "-negative",
                (("retry-after", "-5"),),
                "rate_limit_error",
                Told(429, "rate_limit_error"),
                True,
            ),
            (
                9,
                429,
                "-huge",
                (("retry-after", "1000000000"),),
                "rate_limit_error",
                Told(429, "rate_limit_error"),
                True,
            ),
            (10, 500, "", (), "api_error", BROKEN, True),
            (10, 502, "", (), "api_error", BROKEN, True),
            (10, 503, "", (), "overloaded_error", FULL, True),
            (10, 504, "", (), "timeout_error", LATE, True),
            (11, 529, "", (), "overloaded_error", FULL, True),
            (12, 400, "", (), "invalid_request_error", Told(400, "invalid_request_error", faults.WORDS), False),
            (12, 422, "", (), "invalid_request_error", Told(400, "invalid_request_error", faults.WORDS), False),
            (13, 401, "", (), "authentication_error", Told(403, "permission_error", "'up'"), True),
            (13, 403, "", (), "permission_error", Told(403, "permission_error", "'up'"), True),
        )
    ),
    Case(
        14,
        "key-in-400",
        faults.repeats_key(400),
        *[Told(400, "invalid_request_error", "key")] * 2,
        passes_on=False,
    ),
    Case(14, "key-in-401", faults.repeats_key(401), *[Told(403, "permission_error", "key")] * 2),
    Case(14, "key-in-500", faults.repeats_key(500), *[Told(500, "api_error", "key")] * 2),
    Case(15, "page", faults.shows_page, BROKEN, BROKEN),
    Case(16, "overloaded-in-200", faults.fails_in_success("overloaded_error"), FULL, FULL),
    Case(16, "failed-in-200", faults.fails_in_success("api_error"), BROKEN, BROKEN),
    *(Case(17, f"redirect-{status}", faults.redirects(status), BROKEN, BROKEN) for status in (301, 307)),
    Case(18, "garbage", faults.sends(b"\x00\x01 garbage\r\n\r\n"), BROKEN, BROKEN),
    Case(18, "no-http", faults.sends(b"SSH-2.0-OpenSSH_9.2\r\n"), BROKEN, BROKEN),
    Case(18, "status-999", faults.sends(b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n"), BROKEN, BROKEN),
    Case(18, "status-99999", faults.sends(b"HTTP/1.1 99999 Odd\r\ncontent-length: 0\r\n\r\n"), BROKEN, BROKEN),
    Case(19, "endless-head", faults.ENDLESS_HEAD, BROKEN, BROKEN),
    Case(19, "huge-header", faults.HUGE_HEADER, BROKEN, BROKEN),
    Case(20, "flood", faults.FLOOD, BROKEN, BROKEN),
    Case(20, "slow-flood", faults.SLOW_FLOOD, LATE, LATE, within_s=TIMES.first_byte_s),
    Case(21, "head-drip", faults.drips_head(7), LATE, LATE, within_s=TIMES.first_byte_s),
    Case(22, "no-address", Unresolved(), FULL, FULL),
)

EACH = each(CASES)


@pytest.mark.parametrize(("case", "client", "dialect", "stream"), EACH)
async def test_what_a_client_is_told_when_no_other_provider_helps(
    case: Case, client: Dialect, dialect: Dialect, stream: bool, autojump_clock: object
) -> None:
    await see_alone(case, client, dialect, stream=stream)


@pytest.mark.parametrize(("case", "client", "dialect", "stream"), EACH)
async def test_another_provider_helps_where_it_can(
    case: Case, client: Dialect, dialect: Dialect, stream: bool, autojump_clock: object
) -> None:
    await see_helped(case, client, dialect, stream=stream)
