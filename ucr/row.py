"""What the catalogue says of one provider."""

from dataclasses import dataclass, field
from typing import Literal

from ucr.auth.sign_in import SignIn
from ucr.quirks import Quirks

Auth = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key", "both", "none"]
"""How a key is sent: `both` sends `x-api-key` and `api-key`, as Azure Foundry wants."""


@dataclass(frozen=True, slots=True)
class Row:
    """One provider: `key_variables` are read in order; `default_model` serves when none is configured.

    An empty `base_url` must be configured. A row without `key_variables` is a server on this machine. `headers` are
    sent with every request. `also` names the base URLs of other dialects that the provider speaks elsewhere: a
    configuration that gives one of those dialects need not say where. `sign_in` is how users sign in, where they can.
    """

    id: str
    dialect: str
    base_url: str
    auth: Auth = "bearer"
    key_variables: tuple[str, ...] = ()
    default_model: str | None = None
    models_path: str | None = "/models"
    headers: tuple[tuple[str, str], ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    sign_in: SignIn | None = None
    quirks: Quirks = field(default_factory=Quirks)

    def base_url_for(self, dialect: str) -> str:
        """Return where a dialect is spoken: where the row's own is, unless another place is known."""
        return dict(self.also).get(dialect, self.base_url)
