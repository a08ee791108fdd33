"""Explains requests by a configuration alone, without a router that runs."""

import time
from collections.abc import Mapping

import trio

from ucr.config.model import Config
from ucr.decision import Decisions
from ucr.dialects import registry
from ucr.explain import explained
from ucr.jsontext import JsonObject
from ucr.routing import Candidate
from ucr.steering import Steer


def dialects() -> tuple[str, ...]:
    """Return the protocols that clients may speak."""
    return tuple(registry.clients(time.time))


async def explanation(
    config: Config, raw: bytes, headers: Mapping[str, str], dialect: str, client: str | None
) -> JsonObject:
    """Return how a request would be routed by this configuration; raise `ApiError` for what is no request."""
    parse = registry.clients(time.time)[dialect].parse
    steer = Steer(config, Decisions(config), None, time.time, trio.CapacityLimiter(1))
    return explained(config, await steer.steered(parse(raw, headers), client, parse), _unknown)


def _unknown(_candidate: Candidate) -> tuple[str, ...]:
    return ()
