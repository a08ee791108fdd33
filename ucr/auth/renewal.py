"""Where the tokens of a provider come from at which the user has signed in: renewed, or exchanged, before they end.

The file is read anew each time, so that signing in again needs no restart. A renewal is done under the provider's lock
and begins with what stands in the file then: of several workers one renews, and the others find what it was given.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from ucr.auth.credential import Credential
from ucr.auth.file import CredentialFile
from ucr.auth.grant import (
    MARGIN_S,
    Exchanged,
    Grant,
    Token,
    Unusable,
    read_exchange,
    read_grant,
    refresh_form,
    refusal_words,
)
from ucr.auth.server import answer_of
from ucr.auth.sign_in import SignIn
from ucr.secret import Secret

if TYPE_CHECKING:
    from actors import Network

FOR_EVER_S = 86_400.0
"""How long a token without an end is used before the file is looked at again."""


class Renewal:
    """Renews what one provider is asked with. `headers` are those that its exchange is asked with."""

    def __init__(
        self,
        provider: str,
        how: SignIn,
        file: CredentialFile,
        network: "Network",
        headers: Mapping[str, str],
        unix_time: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._how = how
        self._file = file
        self._network = network
        self._headers = headers
        self._unix_time = unix_time

    def __repr__(self) -> str:
        return f"<Renewal of {self._provider!r}>"

    async def token(self, rejected: Secret = Secret("")) -> Token:  # noqa: B008
        """Return what the provider is asked with, and not what it has rejected; raise `Unusable` or `NoAnswer`."""
        kept = await self._kept()
        if self._how.exchange_url is not None:
            if self._is_over(kept):
                kept = await self.renewed(kept.access)
            return (await self.exchanged(kept)).token
        if self._is_over(kept) or kept.access == rejected:
            kept = await self.renewed(kept.access)
        if kept.expires_unix is None:
            return Token(kept.access, FOR_EVER_S)
        return Token(kept.access, max(0.0, kept.expires_unix - self._unix_time()))

    async def renewed(self, former: Secret) -> Credential:
        """Return a credential with another access token than the former one; raise `Unusable` or `NoAnswer`."""
        async with self._file.renewing(self._provider):
            kept = await self._kept()
            if kept.access != former and not self._is_over(kept):
                return kept
            if not kept.refresh:
                raise Unusable("its sign-in has ended")
            # The former refresh token may be good no more once it was sent: what comes in its place is kept, whoever
            # leaves meanwhile. The server of tokens has `WHOLE_S` for it.
            with trio.CancelScope(shield=True):
                fresh = kept.renewed(await self.granted(kept.refresh), self._unix_time())
                await trio.to_thread.run_sync(self._file.change, self._provider, fresh)
            return fresh

    async def granted(self, refresh: Secret) -> Grant:
        """Return what the server of tokens gives for a refresh token; raise `Unusable` or `NoAnswer`."""
        form = refresh_form(self._how, refresh)
        status, body = await answer_of(self._network, "POST", self._how.token_url, form)
        with suppress(Unusable):
            if status == 200:
                return read_grant(body)
        raise Unusable(f"its sign-in was not renewed: {refusal_words(body, refresh)}")

    async def exchanged(self, kept: Credential) -> Exchanged:
        """Return the provider's own token for an access token; raise `Unusable` or `NoAnswer`."""
        headers = {**self._headers, "authorization": f"token {kept.access.reveal()}"}
        status, body = await answer_of(self._network, "GET", self._how.exchange_url or "", headers=headers)
        if status != 200:
            raise Unusable(f"its sign-in was refused with {status}: {refusal_words(body, kept.access)}")
        return read_exchange(body, self._unix_time())

    async def _kept(self) -> Credential:
        kept = (await trio.to_thread.run_sync(self._file.read)).get(self._provider)
        if kept is None:
            raise Unusable("nobody has signed in")
        return kept

    def _is_over(self, kept: Credential) -> bool:
        if kept.expires_unix is None:
            return False
        life_s = kept.expires_unix - kept.saved_unix
        return self._unix_time() >= kept.expires_unix - min(MARGIN_S, life_s / 2)
