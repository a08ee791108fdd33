"""Whether a router answers at an address, and that it is one."""

from collections.abc import Mapping

import trio

from ucr.asking import Trust, default_url, open_client


def readiness(url: str, config: str | None, environ: Mapping[str, str]) -> str:
    """Return how the router at a URL is: `ready`, `draining`, or why it gives no answer.

    Whose certificate is believed, its configuration says.
    """
    _, trust = default_url(config, environ)
    return trio.run(state_of, url, trust)


async def state_of(url: str, trust: Trust = True) -> str:
    """Return what `readiness` does, for a program that runs already."""
    import httpx

    try:
        async with open_client(url, None, trust) as client:
            answer = await client.get("/ready")
            told = answer.json()
    except httpx.HTTPError as error:
        return f"no answer ({str(error) or type(error).__name__})"
    except ValueError:
        return "what answers is no router"
    state = told.get("status") if isinstance(told, dict) else None
    return state if state in ("ready", "draining") else "what answers is no router"
