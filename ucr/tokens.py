"""Tokens that a provider is asked with and that end: fetched when they are needed, and again before they end.

One request fetches while the others wait for it. A token is kept in memory alone and is in no log line. Google's are
fetched with a file of credentials, which is read anew for each, so that it may be replaced while the router runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trio

from ucr.access import is_loopback
from ucr.auth.file import CredentialFile
from ucr.auth.grant import MARGIN_S, Token, Unusable, read_token, refusal_words
from ucr.auth.renewal import Renewal
from ucr.auth.server import NoAnswer, answer_of
from ucr.auth.sign_in import SignIn
from ucr.config.model import Provider
from ucr.dialects.faults import mask_keys
from ucr.errors import Problem, UpstreamError
from ucr.google import Credentials, ServiceAccount, read_credentials
from ucr.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actors import Network

    Fetch = Callable[[Secret], Awaitable[Token]]

LIMIT_BYTES = 64 * 1024


class Tokens:
    """The tokens of one provider.

    `fetch` gives one, which is not the one that it is called with, and raises `Unusable` or `NoAnswer`; `remedy` is
    what the user can do about the former.
    """

    def __init__(self, provider: str, fetch: "Fetch", remedy: str) -> None:
        self._provider = provider
        self._fetch = fetch
        self._remedy = remedy
        self._lock = trio.Lock()
        self._token = Secret("")
        self._rejected = Secret("")
        self._until = -1.0

    def __repr__(self) -> str:
        return f"<Tokens of {self._provider!r}>"

    @property
    def is_fresh(self) -> bool:
        """True while the present token need not be replaced."""
        return trio.current_time() < self._until

    async def current(self) -> Secret:
        """Return a token that holds for a while; raise `UpstreamError` when there is none to be had."""
        if not self.is_fresh:
            async with self._lock:
                if not self.is_fresh:
                    self._keep(await self._fetched())
        return self._token

    def reject(self, token: Secret) -> None:
        """Replace a token before it is used again: the provider does not take it."""
        if token == self._token:
            self._rejected, self._until = token, -1.0

    def _keep(self, token: Token) -> None:
        self._token = token.secret
        self._until = trio.current_time() + max(token.life_s - MARGIN_S, token.life_s / 2)

    async def _fetched(self) -> Token:
        try:
            return await self._fetch(self._rejected)
        except Unusable as error:
            words = f"provider '{self._provider}': {error} ({self._remedy})"
            raise UpstreamError("permission_error", words, fault="auth") from None
        except NoAnswer as error:
            raise UpstreamError("api_error", f"provider '{self._provider}': {error}", fault="gateway") from None


def google_tokens(provider: str, place: str, network: "Network", unix_time: "Callable[[], float]") -> Tokens:
    """Return the tokens that Google gives for the credentials in a file."""

    async def fetch(_rejected: Secret) -> Token:
        try:
            credentials = credentials_in(place)
            form = _form(credentials, unix_time())
        except Unusable as error:
            raise Unusable(f"its credentials cannot be used: {error}") from None
        status, body = await answer_of(network, "POST", credentials.token_url, form)
        if status != 200:
            words = mask_keys(refusal_words(body, *credentials.secrets))
            raise Unusable(f"no token was given for its credentials: {words}")
        try:
            return read_token(body)
        except Unusable as error:
            raise Unusable(f"the server of its tokens: {error}") from None

    return Tokens(provider, fetch, f"check providers.{provider}.credentials")


def signed_in_tokens(
    provider: Provider, file: CredentialFile, network: "Network", unix_time: "Callable[[], float]"
) -> Tokens:
    """Return the tokens of a provider at which the user has signed in."""
    how = provider.sign_in or SignIn("", "")
    renewal = Renewal(provider.id, how, file, network, provider.headers, unix_time)
    return Tokens(provider.id, renewal.token, f"run: ucr-trio auth login {provider.id}")


def credentials_in(place: str) -> Credentials:
    """Read a file of credentials; raise `Unusable`."""
    try:
        with Path(place).open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}") from None
    if len(data) > LIMIT_BYTES:
        raise Unusable("is larger than 64 KiB; is this the right file?")
    return read_credentials(data)


def problem_of(file: str, key: str, place: str) -> tuple[Problem | None, tuple[Secret, ...]]:
    """Return what is wrong with credentials that a configuration names, and the secrets that are in them."""
    try:
        credentials = credentials_in(place)
        url = urlsplit(credentials.token_url)
        if url.scheme != "https" and not is_loopback(url.hostname or ""):
            raise Unusable("its token_uri is not https://, which would send the credentials in clear")
        _form(credentials, 0.0)
    except Unusable as error:
        return Problem(file, key, place, str(error)), ()
    return None, credentials.secrets


def _form(credentials: Credentials, unix_s: float) -> dict[str, str]:
    if not isinstance(credentials, ServiceAccount):
        return credentials.form()
    claim = credentials.claim(unix_s)
    return credentials.form(claim, _signature(credentials.key, claim))


def _signature(key: Secret, claim: bytes) -> bytes:
    """Sign with RSA and SHA-256, as RS256 says."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise Unusable("needs the package cryptography; install ucr-trio[vertex]") from None
    try:
        private = load_pem_private_key(key.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise Unusable("its private_key is no key of RSA in PEM")
    return private.sign(claim, padding.PKCS1v15(), hashes.SHA256())
