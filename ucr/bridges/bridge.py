"""Gives the candidates of a request what they lack: tools that the router runs for them, and words for images.

How this works: an `Attempt` asks the bridge for the call that its candidate gets. A candidate that lacks nothing gets
the request as it is. Another one gets a part: the request with functions in place of the tools, or words in place of
images. When its answer calls such a function, the router runs it and asks again, with what the tool brought; all of
that is one message for the client (`ucr.bridges.weave`), in whose stream calls and results stand as they would if the
provider had run the tool itself. The answers of one request, the uses of each tool, and the time of each are bounded.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import trio
from msgspec import structs

from actors import Network
from ucr import jsontext
from ucr.bridges import blocks, history, offer
from ucr.bridges.asked import MARK, RESPONSES_SEARCH, Asked, Kind, asked_of
from ucr.bridges.fetch import Fetcher
from ucr.bridges.part import PartClient
from ucr.bridges.search import Ran, Searcher
from ucr.bridges.vision import Answering, Eyes
from ucr.bridges.weave import Strand, Weave, given, summed, turn_of
from ucr.config.model import Config
from ucr.dialects import registry
from ucr.dialects.roles import Canonical, Summary
from ucr.errors import ApiError
from ucr.events import Reply, StopReason, ToolUse
from ucr.jsontext import JsonObject
from ucr.quirks import matches
from ucr.routing import Candidate
from ucr.shape import has_images
from ucr.vault.vault import drawer_of

if TYPE_CHECKING:
    from ucr.call import Call

RUN_NOTE = "the router runs"
_RESPONSES = "openai-responses"
_FAULTS = 5
"""As many failures of tools are named in the log line of a request."""


class Bridges:
    """What a configuration has for candidates that lack something."""

    def __init__(
        self,
        config: Config,
        network: Network | None,
        unix_time: Callable[[], float],
        reading: trio.CapacityLimiter,
    ) -> None:
        tools, vision = config.tools, config.router.vision
        self.max_rounds = tools.max_rounds
        self.search: Searcher | None = None
        self.fetch: Fetcher | None = None
        if network is not None and tools.web_search is not None:
            self.search = Searcher(tools.web_search, network)
        if network is not None and tools.web_fetch is not None:
            self.fetch = Fetcher(tools.web_fetch, network, unix_time, reading)
        self.eyes = None if vision is None else Eyes(vision, config)

    def __repr__(self) -> str:
        return f"<Bridges with {self.search!r}, {self.fetch!r} and {self.eyes!r}>"

    def over(self, call: "Call", choices: Sequence[Candidate]) -> "Bridge | None":
        """Return a bridge for a request that some candidate lacks something for; None for nearly all of them."""
        tools = call.request.body.get("tools")
        toolset = call.request.toolset
        is_plain = toolset is not None and tools is toolset.tools and not toolset.types
        asked = self._asked(call, tools) if tools and not is_plain else ()
        if self.eyes is None:
            is_shown = False
        else:
            is_blind = any(not choice.target.profile.takes_images for choice in choices)
            is_shown = is_blind and has_images(call.request.body)
        if not asked and not is_shown:
            return None
        return Bridge(self, call, asked, shows_images=is_shown)

    def _asked(self, call: "Call", tools: Any) -> tuple[Asked, ...]:
        for tool in (
            tools if isinstance(tools, list) else ()
        ):  # of many requests, so that nothing is called for each
            type_ = tool.get("type") if isinstance(tool, dict) else None
            if isinstance(type_, str) and type_[:4] == MARK:
                break
        else:
            return ()
        if call.request.dialect == _RESPONSES and self.search is None:
            return ()  # Codex offers a search with every request, and does without
        return asked_of(tools)


class Bridge:
    """The bridge of one request: the message that is woven, and the turns that stand in no request yet."""

    def __init__(self, bridges: Bridges, call: "Call", asked: tuple[Asked, ...], *, shows_images: bool) -> None:
        self._bridges = bridges
        self._call = call
        self._asked = asked
        self._shows_images = shows_images
        self._canonical: Canonical | None = None
        self._seen: tuple[JsonObject, str] | None = None
        self._turns: list[JsonObject] = []
        self._weave: Weave | None = None
        self._strand: Strand | None = None
        self._winner: Candidate | None = None
        self._answering: Answering | None = None
        self._uses: dict[Kind, int] = {}
        self._faults: list[str] = []
        self._calls = 0
        self._rounds = 1
        self._described = 0
        self._is_estimated = False

    def __repr__(self) -> str:
        return f"<Bridge for {', '.join(tool.kind for tool in self._asked) or 'images'}>"

    async def call_for(self, call: "Call", candidate: Candidate) -> "Call":
        """Return the call that a candidate gets; raise `ApiError` when it cannot be given what it lacks."""
        asked = () if self._is_native(candidate) or not candidate.provider.quirks.tools else self._asked
        is_blind = self._shows_images and not candidate.target.profile.takes_images
        if not asked and not is_blind:
            return call
        canonical = self._read()
        body, notes = canonical.body, canonical.notes
        if is_blind:
            body, by = await self._in_words(body)
            notes = (*notes, f"images described by {by}")
        if asked:
            body = self._with_tools(body)
            notes = (*notes, f"{RUN_NOTE} {' and '.join(tool.kind for tool in asked)}")
        strand = Strand(self._woven())
        request = structs.replace(call.request, raw=jsontext.dumps(body), body=body, beside="")
        return structs.replace(
            call,
            client=PartClient(
                call.client, Canonical(body, notes), strand, lambda: self._begin(strand, candidate)
            ),
            request=request,
            canonical=None,
            restored=None,
            bridge=None,
            is_part=True,
            entering=0,
            _sent_estimate=None,
        )

    def _is_native(self, candidate: Candidate) -> bool:
        """True for a candidate that runs the tools itself, or whose own bytes are passed on."""
        if not self._asked:
            return True
        request = self._call.request
        dialect = registry.provider_for(candidate.provider.dialect, candidate.target, request).name
        if dialect != "anthropic":
            return dialect == request.dialect
        if request.dialect == _RESPONSES:
            return False
        return all(matches(tool.type, candidate.provider.quirks.server_tools) for tool in self._asked)

    def _read(self) -> Canonical:
        if self._canonical is None:
            call, request = self._call, self._call.request
            if request.dialect == _RESPONSES and self._asked:
                made = call.client.canonical(
                    structs.replace(request, body=offer.without_searches(request.body))
                )
                body = offer.with_searches(made.body, request.body, RESPONSES_SEARCH)
                made = Canonical(body, made.notes)
            else:
                made = call.client.canonical(request)
            self._canonical = made
        return self._canonical

    async def _in_words(self, body: JsonObject) -> tuple[JsonObject, str]:
        if self._seen is None:
            assert self._bridges.eyes is not None and self._answering is not None
            body, by, count = await self._bridges.eyes.described(self._answering, self._call, body)
            self._described += count
            self._seen = body, by
        return self._seen

    def _with_tools(self, body: JsonObject) -> JsonObject:
        turns = [*history.unfolded(body["messages"]), *self._turns]
        body = offer.offered({**body, "messages": turns}, self._asked)
        if self._rounds > 1:
            body = offer.freed(body)
        return offer.ended(body, self._asked) if self._rounds >= self._bridges.max_rounds else body

    def _woven(self) -> Weave:
        if self._weave is None:
            kinds = {tool.name: tool.kind for tool in self._asked}
            self._weave = Weave(self._call.client.encoder(self._call.request), kinds)
        return self._weave

    def _begin(self, strand: Strand, candidate: Candidate) -> None:
        self._strand, self._winner = strand, candidate

    async def run(self, answering: Answering, call: "Call", choices: Sequence[Candidate]) -> None:
        """Answer the request, in as many parts as it takes."""
        self._answering = answering
        part: Call | None = call
        try:
            while part is not None:
                call.record.summary = Summary()
                await answering(part, choices)
                part = await self._go_on(call)
                if self._winner in choices:
                    choices = choices[choices.index(self._winner) :]
                choices = [choice for choice in choices if not self._is_native(choice)] if part else choices
        except ApiError as error:
            if call.delivery.has_ended:
                raise
            await call.delivery.fail(error, None)
        finally:
            self._note()
            call.bridge = None  # it leads back to the call

    async def _go_on(self, call: "Call") -> "Call | None":
        """Run what the last answer called; return the call that asks for the next one, None when there is none."""
        strand, self._strand = self._strand, None
        if strand is None or call.delivery.has_ended:
            return None
        reply = self._woven().take(strand)
        self._is_estimated |= call.record.summary.is_estimated
        call.record.summary = Summary(stop_reason=reply.stop_reason)
        if not strand.goes_on:
            await self._finish(reply, reply.stop_reason, is_told=True)
            return None
        if self._rounds >= self._bridges.max_rounds:
            await self._finish(reply, "end_turn")
            return None
        calls = [block for block in reply.content if isinstance(block, ToolUse)]
        results = [await self._brought(block) for block in calls if self._woven().is_run(block)]
        if len(results) < len(calls):  # the others are the client's to run
            await self._finish(reply, "tool_use")
            return None
        self._turns += [turn_of(reply), {"role": "user", "content": results}]
        self._rounds = call.record.parts = self._rounds + 1
        return structs.replace(call, restored=None, attempts_before=call.record.attempts)

    async def _finish(self, reply: Reply, stop_reason: StopReason, *, is_told: bool = False) -> None:
        call, weave = self._call, self._woven()
        call.record.summary = Summary(stop_reason=stop_reason)
        if not call.request.stream:
            whole = weave.whole(reply, stop_reason)
            return await call.delivery.reply(call.client.encode_reply(whole, call.request))
        if not is_told:
            await call.delivery.write(weave.end(reply, stop_reason))
        return await call.delivery.end()

    async def _brought(self, block: ToolUse) -> JsonObject:
        """Run a tool and show the client the call and its result; return the result for the model."""
        asked = next(tool for tool in self._asked if tool.name == block.name)
        self._calls += 1
        id_ = f"{blocks.ID_PREFIX}_{self._call.record.request_id.removeprefix('req_')}_{self._calls}"
        await self._keep_state(block.id, id_)
        arguments = given(block)
        await self._show(blocks.call(id_, asked.kind, arguments))
        ran = await self._ran(asked, arguments.get(offer.argument_of(asked.kind)))
        if ran.fault is not None:
            self._faults.append(ran.fault)
        if not isinstance(ran.outcome, str):
            self._woven().count(asked.kind)
        result = blocks.result(id_, asked.kind, ran.outcome)
        await self._show(result)
        return blocks.tool_result(result, block.id)

    async def _keep_state(self, own_id: str, id_: str) -> None:
        """Let the vault find the state of a call by the id that the client gets of it."""
        call, winner = self._call, self._winner
        if call.router.vault is not None and call.router.stateful and winner is not None:
            drawer = drawer_of(call.record.client, call.request, winner.provider.id)
            await call.router.vault.keep_also(drawer, own_id, id_)

    async def _show(self, raw: JsonObject) -> None:
        written = self._woven().add(raw)
        if self._call.request.stream:
            await self._call.delivery.write(written)

    async def _ran(self, asked: Asked, argument: object) -> Ran:
        tool = self._bridges.search if asked.kind == "web_search" else self._bridges.fetch
        if tool is None:
            return Ran("unavailable", f"{asked.kind} is not configured")
        uses = self._uses.get(asked.kind, 0)
        if uses >= tool.max_uses or (asked.max_uses is not None and uses >= asked.max_uses):
            return Ran("max_uses_exceeded")
        self._uses[asked.kind] = uses + 1
        if asked.kind == "web_fetch" and isinstance(argument, str) and not self._is_known(argument):
            return Ran("url_not_in_prior_context")
        with self._call.patience.wait():
            return await tool.run(argument, asked)

    def _is_known(self, url: str) -> bool:
        """True for an address that somebody else has named: a model must not send words out in one of its own."""
        body = self._read().body
        turns = [*history.unfolded(body["messages"]), *self._turns]
        said = [turn for turn in turns if turn.get("role") != "assistant"]
        return url.encode() in jsontext.dumps([body.get("system"), said])

    def _note(self) -> None:
        """Write down what all parts cost together, and what was done for the model."""
        record = self._call.record
        weave = self._weave
        if weave is not None and weave.is_begun:
            usage = summed(weave.usage, record.summary.usage)
            is_estimated = self._is_estimated or record.summary.is_estimated
            record.summary = Summary(usage, record.summary.stop_reason, is_estimated)
        uses = [f"{kind} {count}" for kind, count in self._uses.items()]
        described = [f"images {self._described}"] if self._described else []
        record.bridged = (*uses, *described, *dict.fromkeys(self._faults[:_FAULTS]))
