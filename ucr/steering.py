"""What goes before the routing of a request where the configuration has rules or a custom router.

A configuration without both has no `Steer`, and its requests pay nothing for it.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import trio

from ucr.config.model import Config
from ucr.custom import CustomRouter
from ucr.decision import Decision, Decisions
from ucr.dialects.roles import Request
from ucr.facts import Facts
from ucr.large import beside
from ucr.rests import LARGE_BYTES
from ucr.rewriting import Parse, rewritten
from ucr.routing import is_named
from ucr.rules import Rules, Ruling
from ucr.steered import Steered


class Steer:
    """The rules of a configuration, and its custom router if it has one.

    `unix_time` is the clock of the rules; `reading` lets one large request be read at a time.
    """

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        custom: CustomRouter | None,
        unix_time: Callable[[], float],
        reading: trio.CapacityLimiter,
    ) -> None:
        self._config = config
        self._decisions = decisions
        self._rules = Rules(config.router.rules)
        self._custom = custom
        self._unix_time = unix_time
        self._reading = reading

    def __repr__(self) -> str:
        return f"<Steer by {self._rules!r} and {self._custom!r}>"

    async def steered(self, request: Request, client: str | None, parse: Parse) -> Steered:
        """Return the request as it is to be served; raise `ApiError` when the rules made it none."""
        asked = await self._asked(Facts(request, client))
        made, notes = await self._rewritten(request, asked.ruling, parse)
        return replace(asked, facts=asked.facts if made is request else Facts(made, client), notes=notes)

    async def _asked(self, facts: Facts) -> Steered:
        """Return what rules and custom router say of a request, which nobody has changed yet."""
        named = is_named(self._config, facts.model)
        ruling = self._rules.ruling(facts, self._unix_time(), is_named=named)
        advice = None
        if self._custom is not None and not named and not ruling.decides:
            advice = await self._custom.advice(facts, self._config)
        return Steered(facts, (), ruling, advice)

    async def decided(self, request: Request, client: str | None) -> Decision:
        """Return who shall serve a request that is not changed; raise `ApiError` 404 when nobody may."""
        asked = await self._asked(Facts(request, client))
        return self._decisions.decide_steered(asked.facts, asked.steering)

    async def _rewritten(
        self, request: Request, ruling: Ruling, parse: Parse
    ) -> tuple[Request, tuple[str, ...]]:
        if not ruling.rewrites:
            return request, ()
        if len(request.raw) < LARGE_BYTES:
            return rewritten(request, ruling.rewrites, parse)
        return await beside(self._reading, partial(rewritten, request, ruling.rewrites, parse))

    async def routed(
        self, request: Request, client: str | None, parse: Parse
    ) -> tuple[Request, tuple[str, ...], Decision]:
        """Return the request as it is to be served, the notes of what was changed, and who shall serve it.

        Raise `ApiError` as `steered` does, and 404 when nobody may serve it.
        """
        steered = await self.steered(request, client, parse)
        decision = self._decisions.decide_steered(steered.facts, steered.steering)
        return steered.facts.request, steered.notes, decision


def steer_of(
    config: Config,
    decisions: Decisions,
    custom: CustomRouter | None,
    unix_time: Callable[[], float],
    reading: trio.CapacityLimiter,
) -> Steer | None:
    """Return what steers requests; None where the configuration asks for nothing of the kind."""
    if not config.router.rules and custom is None:
        return None
    return Steer(config, decisions, custom, unix_time, reading)
