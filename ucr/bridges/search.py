"""Asks a search engine. What goes wrong there becomes an error code of the Messages API, and words for the log."""

from dataclasses import dataclass

import trio

from actors import Network
from ucr.bridges.asked import Asked
from ucr.bridges.blocks import Outcome
from ucr.bridges.engines import ENGINES, QUERY_CHARS, headers, pages, question
from ucr.config.bridge_model import WebSearch
from ucr.jsontext import JsonObject

ANSWER_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of running a tool; `fault` says what failed there, and holds no word of the question."""

    outcome: Outcome
    fault: str | None = None


class Searcher:
    """The engine of a configuration."""

    def __init__(self, config: WebSearch, network: Network) -> None:
        self._config = config
        self._engine = ENGINES[config.engine]
        self._network = network

    def __repr__(self) -> str:
        return f"<Searcher with {self._config.engine}>"

    @property
    def max_uses(self) -> int:
        return self._config.max_uses

    async def run(self, query: object, asked: Asked) -> Ran:
        """Search; raises nothing but cancellation."""
        if not isinstance(query, str) or not query.strip():
            return Ran("invalid_tool_input")
        if len(query) > QUERY_CHARS:
            return Ran("query_too_long")
        name, timeout_s = self._config.engine, self._config.timeout_s
        with trio.move_on_after(timeout_s):
            return await self._asked(query.strip(), asked)
        return Ran("unavailable", f"{name} did not answer within {timeout_s:g} s")

    async def _asked(self, query: str, asked: Asked) -> Ran:
        import httpx

        from actors import PoolTransport
        from actors.request import Limits

        config, name = self._config, self._config.engine
        fields = question(self._engine, query, asked, config.max_results)
        key = None if config.api_key is None else config.api_key.reveal()
        limits = Limits(config.timeout_s, config.timeout_s, config.timeout_s, body_bytes=ANSWER_BYTES)
        try:
            transport = PoolTransport(self._network, limits)
            async with httpx.AsyncClient(
                transport=transport, timeout=config.timeout_s, trust_env=False
            ) as client:
                answer = await client.request(**self._request(fields), headers=headers(self._engine, key))
        except httpx.HTTPError as error:
            return Ran("unavailable", f"{name} cannot be asked ({type(error).__name__})")
        if answer.status_code != 200:
            code = "too_many_requests" if answer.status_code == 429 else "unavailable"
            return Ran(code, f"{name} answered {answer.status_code}")
        found = pages(self._engine, answer.content, asked, config.max_results)
        return Ran("unavailable", f"{name} answered what is no list of pages") if found is None else Ran(found)

    def _request(self, fields: JsonObject) -> JsonObject:
        url = self._config.url + self._engine.path
        if self._engine.is_post:
            return {"method": "POST", "url": url, "json": fields}
        return {"method": "GET", "url": url, "params": fields}
