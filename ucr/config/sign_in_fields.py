"""The keys of how a user signs in at a provider, and how they are read."""

from dataclasses import replace
from urllib.parse import urlsplit

from ucr.access import is_loopback
from ucr.auth.sign_in import SignIn
from ucr.config.field import Field
from ucr.config.kinds import Table, Text, Url
from ucr.config.reading import Reading, Values

FIELDS = (
    Field("client_id", Text(), "(by id)", "Id of the public client in whose name users sign in."),
    Field("token_url", Url(), "(by id)", "Where tokens are given and renewed."),
    Field(
        "device_url", Url(), "(by id)", "Where a device flow begins; without it a refresh token is typed in."
    ),
    Field("scope", Text(), "(by id)", "What is asked for."),
    Field("exchange_url", Url(), "(by id)", "Where an access token is exchanged for that of the provider."),
)
SIGN_IN = Field(
    "sign_in", Table(), {}, "How `ucr-trio auth login` signs in with OAuth 2.0; see auth.md.", fields=FIELDS
)


def read_sign_in(reading: Reading, values: Values, known: SignIn | None, at: str) -> SignIn | None:
    """Return how a user signs in: what the catalogue knows, with what the file says otherwise."""
    if "sign_in" not in values:
        return known
    found = reading.values(values["sign_in"], FIELDS, f"{at}.sign_in")
    if known is None:
        for key in ("client_id", "token_url"):
            if key not in found and key not in values["sign_in"]:
                reading.problem(f"{at}.sign_in.{key}", None, "is missing; the provider's documents say it")
    read = replace(known or SignIn("", ""), **found)
    for key, url in read.urls:
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            reading.problem(f"{at}.sign_in.{key}", url, "must be https://; tokens are not sent in clear")
    return read
