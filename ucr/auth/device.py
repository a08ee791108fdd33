"""A sign-in through the device flow (RFC 8628): the user types a code into a browser, and meanwhile the server is asked."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from ucr.auth.grant import (
    SLOWER_S,
    DeviceCode,
    Grant,
    Unusable,
    device_form,
    poll_form,
    read_device,
    read_poll,
    refusal_words,
)
from ucr.auth.server import NoAnswer, answer_of
from ucr.auth.sign_in import SignIn

if TYPE_CHECKING:
    from actors import Network

Show = Callable[[DeviceCode], None]
"""Tells the user where to type which code."""


async def signed_in(how: SignIn, network: "Network", show: Show) -> Grant:
    """Return what the sign-in gave; raise `Unusable` when it was refused or not finished in time, or `NoAnswer`.

    Once the code is shown, a server that does not answer is asked again, less often, until the time is over.
    """
    if how.device_url is None:
        raise Unusable("has no device flow")
    status, body = await answer_of(network, "POST", how.device_url, device_form(how))
    if status != 200:
        raise Unusable(f"the sign-in cannot begin: {refusal_words(body)}")
    code = read_device(body)
    show(code)
    with trio.move_on_after(code.life_s):
        return await _decided(how, code, network)
    raise Unusable("the code was not typed in time; sign in again")


async def _decided(how: SignIn, code: DeviceCode, network: "Network") -> Grant:
    interval_s = code.interval_s
    while True:
        await trio.sleep(interval_s)
        try:
            _, body = await answer_of(network, "POST", how.token_url, poll_form(how, code))
        except NoAnswer:
            interval_s += SLOWER_S
            continue
        found = read_poll(body)
        if isinstance(found, Grant):
            return found
        if found.is_too_fast:
            interval_s = max(interval_s + SLOWER_S, found.interval_s or 0.0)
