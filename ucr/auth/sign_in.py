"""How a user signs in at a provider with OAuth 2.0, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignIn:
    """The public client in whose name it is done, and the addresses that are asked.

    Without `device_url` (RFC 8628) a refresh token is typed in. At `exchange_url` an access token is exchanged for the
    one that the provider takes, which holds for half an hour or so and is never kept in a file.
    """

    client_id: str
    token_url: str
    device_url: str | None = None
    scope: str | None = None
    exchange_url: str | None = None

    @property
    def urls(self) -> tuple[tuple[str, str], ...]:
        """The addresses that are sent secrets, by the names of the fields."""
        named = (
            ("token_url", self.token_url),
            ("device_url", self.device_url),
            ("exchange_url", self.exchange_url),
        )
        return tuple((name, url) for name, url in named if url is not None)


COPILOT = SignIn(
    client_id="Iv1.b507a08c87ecfe98",
    token_url="https://github.com/login/oauth/access_token",
    device_url="https://github.com/login/device/code",
    scope="read:user",
    exchange_url="https://api.github.com/copilot_internal/v2/token",
)
"""GitHub Copilot, in the name of the public client of its editor plugins."""
