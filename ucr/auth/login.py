"""Signs in, and renews what signing in has left: what the command does, given a network and somebody to talk to."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from ucr.auth.credential import Credential
from ucr.auth.device import Show, signed_in
from ucr.auth.file import CredentialFile
from ucr.auth.grant import Unusable
from ucr.auth.renewal import Renewal
from ucr.config.kinds import Key, Wrong
from ucr.config.model import Provider
from ucr.secret import Secret

if TYPE_CHECKING:
    from actors import Network

AskSecret = Callable[[str], str]
"""Asks the user for a secret, which is told what it is, and returns what was typed."""


class Login:
    """Signs in at one provider. Its methods raise `Unusable`, `NoAnswer` and, where nothing can be written, `OSError`."""

    def __init__(
        self,
        provider: Provider,
        file: CredentialFile,
        network: "Network",
        unix_time: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._file = file
        self._network = network
        self._unix_time = unix_time

    async def run(self, ask: AskSecret, show: Show, *, with_key: bool = False) -> Credential:
        """Sign in as the provider wants it, or `with_key`, and keep what that gave."""
        how = self._provider.sign_in
        if how is None or with_key:
            typed = _secret(ask(f"API key of {self._provider.id}"))
            return await self._keep(Credential("api_key", typed, saved_unix=self._unix_time()))
        if how.device_url is not None:
            grant = await signed_in(how, self._network, show)
            return await self._checked(Credential.of(grant, self._unix_time()))
        typed = _secret(ask(f"refresh token of {self._provider.id}"))
        grant = await self._renewal().granted(typed)
        return await self._checked(Credential("oauth", typed, typed).renewed(grant, self._unix_time()))

    async def renew(self) -> str:
        """Renew what is kept now, whether it has to be or not; return what was done in words."""
        kept = self._file.read().get(self._provider.id)
        if kept is None:
            raise Unusable("nobody has signed in")
        if kept.kind == "api_key":
            return "an API key, which is not renewed"
        if kept.refresh:
            kept = await self._renewal().renewed(kept.access)
        if self._provider.sign_in is not None and self._provider.sign_in.exchange_url is not None:
            await self._renewal().exchanged(kept)
            return "exchanged its token"
        return "renewed" if kept.refresh else "a token without an end, which is not renewed"

    async def _checked(self, credential: Credential) -> Credential:
        """Keep a credential when the provider takes it in exchange, where there is one."""
        if self._provider.sign_in is not None and self._provider.sign_in.exchange_url is not None:
            exchanged = await self._renewal().exchanged(credential)
            credential = replace(credential, base_url=exchanged.base_url)
        return await self._keep(credential)

    async def _keep(self, credential: Credential) -> Credential:
        await trio.to_thread.run_sync(self._file.change, self._provider.id, credential)
        return credential

    def _renewal(self) -> Renewal:
        provider = self._provider
        if provider.sign_in is None:
            raise Unusable("its sign-in is not configured any more")
        return Renewal(
            provider.id, provider.sign_in, self._file, self._network, provider.headers, self._unix_time
        )


def _secret(typed: str) -> Secret:
    try:
        found = Key().read(typed.strip())
    except Wrong as wrong:
        raise Unusable(f"what was typed {wrong}") from None
    if found is None:
        raise Unusable("nothing was typed")
    return found
