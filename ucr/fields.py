"""Header fields, as both servers treat them: what a request may bring, and what an answer may say."""

from collections.abc import Sequence

from ucr.errors import ApiError

HEAD_LIMIT_BYTES = 64 * 1024
FIELDS_LIMIT = 100

Fields = Sequence[tuple[str, str]]


def joined(fields: Fields) -> dict[str, str]:
    """Return the fields by name; those of one name are joined with commas (RFC 9110, 5.3)."""
    headers = dict(fields)
    if len(headers) == len(fields):
        return headers
    headers.clear()
    for name, value in fields:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def one_line(value: str) -> str:
    """Return a value as one line of Latin-1: anything else is replaced, never split into a new field."""
    if value.isascii() and value.isprintable():
        return value.strip()
    printable = "".join(char if char.isprintable() else " " for char in value)
    return " ".join(printable.split()).encode("latin-1", "replace").decode("latin-1")


def fault_of(fields: Fields) -> ApiError | None:
    """Refuse what two parsers could read in two ways: both framings, several Hosts, too many fields."""
    names = [name for name, _ in fields]
    if "content-length" in names and "transfer-encoding" in names:
        return ApiError("invalid_request_error", "content-length beside transfer-encoding")
    if names.count("host") != 1:
        return ApiError("invalid_request_error", "exactly one host header is needed")
    if sum(len(name) + len(value) for name, value in fields) > HEAD_LIMIT_BYTES:
        return ApiError("invalid_request_error", f"a head of more than {HEAD_LIMIT_BYTES} bytes", status=431)
    if len(names) > FIELDS_LIMIT:
        return ApiError("invalid_request_error", f"more than {FIELDS_LIMIT} header fields", status=431)
    return None
