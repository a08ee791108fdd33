"""Tokens that a provider is asked with and that end: fetched with credentials, and again before they end.

One request fetches while the others wait for it. The credentials are read anew for each token, so that a file may be
replaced while the router runs. A token is kept in memory alone and is in no log line.
"""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trio

from ucr.access import is_loopback
from ucr.dialects.faults import mask_keys
from ucr.errors import Problem, UpstreamError
from ucr.google import Credentials, ServiceAccount, Token, Unusable, read_credentials, read_token, refusal_words
from ucr.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors import Network

MARGIN_S = 300.0
"""So long before its end a token is replaced, or after half of its life, if that is later."""
ANSWER_S = 10.0
LIMIT_BYTES = 64 * 1024


class Tokens:
    """The tokens of one provider, made with the credentials in a file."""

    def __init__(self, provider: str, place: str, network: "Network", unix_time: "Callable[[], float]") -> None:
        self._provider = provider
        self._place = place
        self._network = network
        self._unix_time = unix_time
        self._lock = trio.Lock()
        self._token = Secret("")
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

    def _keep(self, token: Token) -> None:
        self._token = token.secret
        self._until = trio.current_time() + max(token.life_s - MARGIN_S, token.life_s / 2)

    async def _fetched(self) -> Token:
        import httpx

        from actors import PoolTransport

        try:
            credentials = credentials_in(self._place)
            form = _form(credentials, self._unix_time())
        except Unusable as error:
            raise self._failure(f"its credentials cannot be used: {error}") from None
        try:
            transport = PoolTransport(self._network)
            async with httpx.AsyncClient(transport=transport, timeout=ANSWER_S, trust_env=False) as client:
                answer = await client.post(credentials.token_url, data=form)
        except httpx.HTTPError as error:
            words = f"the server of its tokens does not answer ({type(error).__name__})"
            raise UpstreamError("api_error", f"provider '{self._provider}': {words}", fault="gateway") from None
        if answer.status_code != 200:
            raise self._refused(answer.status_code, answer.content)
        try:
            return read_token(answer.content)
        except Unusable as error:
            raise self._failure(f"the server of its tokens: {error}") from None

    def _refused(self, status: int, body: bytes) -> UpstreamError:
        if status >= 500 or status == 429:
            words = f"provider '{self._provider}': the server of its tokens answered {status}"
            return UpstreamError("api_error", words, fault="gateway")
        return self._failure(f"no token was given for its credentials: {mask_keys(refusal_words(body))}")

    def _failure(self, words: str) -> UpstreamError:
        remedy = f"(check providers.{self._provider}.credentials)"
        return UpstreamError("permission_error", f"provider '{self._provider}': {words} {remedy}", fault="auth")


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
