"""Asks a server of tokens, over httpx and our own connections."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from actors import Network

ANSWER_S = 10.0
"""How long the server may be silent."""

WHOLE_S = 30.0
"""How long it may take in all."""

LIMIT_BYTES = 64 * 1024


class NoAnswer(Exception):
    """The server of tokens cannot be asked now, or fails; the message says how."""


async def answer_of(
    network: "Network",
    method: str,
    url: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Return status and body; raise `NoAnswer` when there is none, or one that blames the server (429 and from 500 on).

    Redirects are not followed.
    """
    import httpx

    from actors import Limits, PoolTransport

    asked = {"accept": "application/json", **(headers or {})}
    transport = PoolTransport(network, Limits(body_bytes=LIMIT_BYTES))
    try:
        with trio.fail_after(WHOLE_S):
            async with httpx.AsyncClient(transport=transport, timeout=ANSWER_S, trust_env=False) as client:
                answer = await client.request(method, url, data=form, headers=asked)
    except (httpx.HTTPError, trio.TooSlowError) as error:
        raise NoAnswer(f"the server of its tokens does not answer ({type(error).__name__})") from None
    if answer.status_code >= 500 or answer.status_code == 429:
        raise NoAnswer(f"the server of its tokens answered {answer.status_code}")
    return answer.status_code, answer.content
