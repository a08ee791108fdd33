"""One candidate asked once: admitted, built, sent, and its answer delivered or its failure kept.

An attempt keeps to itself what it learns until it has a good answer in hand and the `claim` to deliver it: two
attempts may run side by side, and only the one that answers writes into the request's record.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial

import trio
from msgspec.structs import replace

from actors import Lease, Success
from ucr import predictions, ratelimits, reception, shape, upstream
from ucr.call import Call
from ucr.departure import outlive
from ucr.dialects import registry
from ucr.dialects.bedrock import frames
from ucr.dialects.faults import unreadable, unseen
from ucr.dialects.roles import Canonical, HeaderList, Outgoing, Request
from ucr.errors import ApiError, Fault, UpstreamError
from ucr.healing import healed, remedy_for
from ucr.large import beside
from ucr.reception import Incoming
from ucr.record import Tried
from ucr.remedies import Remedy
from ucr.rests import LARGE_BYTES
from ucr.routing import Candidate
from ucr.upstream import Answer
from ucr.urgency import urgency_of
from ucr.vault.recalling import gatherer_of, recall

_OF_THE_KEY: frozenset[Fault] = frozenset({"rate_limit", "quota", "auth"})

_STREAM_TYPES = ("text/event-stream", "application/x-ndjson", frames.MEDIA_TYPE)

Claim = Callable[["Attempt"], bool]


class Attempt:
    """`error` is why it failed: None when it was served, or cancelled, or has not ended.

    A retry has a `permission`, which is its part of the provider's budget, and begins with a pause.
    """

    def __init__(
        self,
        call: Call,
        candidate: Candidate,
        permission: AbstractContextManager[object] | None = None,
        pause_s: float = 0.0,
    ) -> None:
        self.candidate = candidate
        self.child = call.router.children[candidate.provider.id]
        self._address = call.router.addresses[candidate.provider.id]
        self.error: ApiError | None = None
        self.is_unbuilt = False
        self._is_lost = False
        self._pause_s = pause_s
        self._call = call
        self._dialect = registry.provider_for(candidate.provider.dialect, candidate.target, call.request)
        needs = call.router.stateful
        self._is_stateful = (
            bool(needs) and (candidate.provider.id, self._dialect.name, call.client.name) in needs
        )
        self._permission = permission
        self._notes: tuple[str, ...] = ()
        self._headers: HeaderList = ()
        self._upstream_request_id: str | None = None
        self._key = 0
        self._remedy: Remedy | None = None
        self._has_rejected_token = False
        self._span_id = 0

    def __repr__(self) -> str:
        return f"<Attempt at {self.candidate.provider.id}/{self.candidate.model}: {self.error!r}>"

    @property
    def has_another_key(self) -> bool:
        """True when its key was turned away and its provider has one that was not."""
        was_turned_away = isinstance(self.error, UpstreamError) and self.error.fault in _OF_THE_KEY
        has_several = len(self.candidate.provider.api_keys) > 1
        return was_turned_away and has_several and self.child.is_available(self.candidate.model)

    async def run(self, claim: Claim | None = None) -> None:
        """Ask and deliver. What went wrong before the client got anything is kept in `error`.

        One that does not run alone delivers only if its `claim` is granted.
        """
        try:
            if self._permission is None:
                await self._ask(claim)
            else:
                with self._permission:
                    await self._pause()
                    await self._ask(claim)
        except UpstreamError as error:
            if self._dialect.name != self._call.client.name:
                error.body = None
            upstream.mask_own_keys(error, self._address.keyed)
            self._fail(error)
        except ApiError as error:
            self._fail(error)

    def _fail(self, error: ApiError) -> None:
        record, candidate = self._call.record, self.candidate
        self.error = error.without_frames()
        record.tried += (
            Tried(candidate.provider.id, candidate.model, error, trio.current_time(), self._span_id),
        )

    @property
    def is_lost(self) -> bool:
        """True when another attempt had an answer first."""
        return self._is_lost

    def lose(self) -> None:
        """Another attempt answers: this one says nothing more."""
        self._is_lost = True

    def note(self) -> None:
        """Make the answer's headers and the log speak of this candidate."""
        record, candidate = self._call.record, self.candidate
        record.provider, record.model_used = candidate.provider.id, candidate.model
        record.route, record.tier = candidate.route, candidate.tier
        record.upstream_request_id, record.notes = self._upstream_request_id, self._notes
        record.key_number = self._key + 1 if len(candidate.provider.api_keys) > 1 else None
        record.span_id = self._span_id
        self._call.delivery.extra_headers = self._headers

    async def _pause(self) -> None:
        if self._pause_s:
            with self._call.patience.wait():
                await trio.sleep(self._pause_s)

    async def _ask(self, claim: Claim | None) -> None:
        if self._call.bridge is not None:
            self._call = await self._call.bridge.call_for(self._call, self.candidate)
        call, provider = self._call, self.candidate.provider
        call.patience.limit(provider.timeouts.total_s)
        call.patience.check()
        key_group = call.request.session_id or ""
        free = self.child.try_admit(call.record.request_id, model=self.candidate.model, key_group=key_group)
        with free or await self._queued(key_group) as lease:
            self._key = lease.key
            self.is_unbuilt = True
            if self._is_stateful:
                await recall(call, provider, self._dialect)
            if self._is_lost:
                await self._stop()
            # Nothing here may hold the request while the answer comes: see `Call.let_go`.
            if len(call.request.raw) < LARGE_BYTES:
                outgoing = self._build_now()
            else:
                outgoing = await beside(call.router.reading, self._builder())
                if self._is_lost:
                    await self._stop()
            self.is_unbuilt = False
            self._notes = call.notes + outgoing.notes
            call.record.attempts += 1
            try:
                await self._sending(outgoing, lease, claim)
            except UpstreamError as refusal:
                if self._is_lost or not call.may_ask:
                    raise
                if self._has_rejected_token:
                    await self._send_again(lease, claim)
                elif refusal.fault == "request" and provider.quirks.heal:
                    await self._heal(refusal, lease, claim)
                else:
                    raise

    async def _send_again(self, lease: Lease, claim: Claim | None) -> None:
        """Send the request once more, with another token than the one that was turned away."""
        build, call = self._builder(), self._call
        is_large = len(call.request.raw) >= LARGE_BYTES
        outgoing = await beside(call.router.reading, build) if is_large else build()
        del build
        self._has_rejected_token = False
        call.record.attempts += 1
        await self._sending(outgoing, lease, claim)

    def _build_now(self) -> Outgoing:
        """Write the request here: nearly always nothing was restored for it, and nothing has to be healed."""
        call = self._call
        if call.restored is not None or call.router.healing.known:
            return self._builder()()
        return self._built(call.request, call.canonical)

    def _builder(self) -> Callable[[], Outgoing]:
        call, candidate = self._call, self.candidate
        request, canonical = call.request, call.canonical
        if call.restored is not None:
            request, canonical = call.restored.get(candidate.provider.id, (request, canonical))
        build = partial(self._built, request, canonical)
        if not call.router.healing.known:
            return build
        remedies = call.router.healing.of(candidate.provider.id, candidate.model, trio.current_time())
        return (lambda: healed(build(), remedies)) if remedies else build

    def _sending(self, outgoing: Outgoing, lease: Lease, claim: Claim | None) -> Awaitable[None]:
        call = self._call
        if call.record.trace is not None:
            self._span_id = self._span_id or call.record.trace.new_span_id()
            outgoing.headers += call.record.trace.parent(self._span_id)
        if call.router.config.router.on_disconnect == "cancel":
            return self._exchange(outgoing, lease, claim)
        return outlive(call, lambda: self._exchange(outgoing, lease, claim), lambda: not self._is_lost)

    async def _heal(self, refusal: UpstreamError, lease: Lease, claim: Claim | None) -> None:
        """Ask once more without what was refused, if the words for it are understood.

        The refusal stands when they are not, and when the request is refused again.
        """
        call, notes = self._call, self._notes
        found = await self._mended(refusal)
        if found is None or self._is_lost:
            raise refusal
        self._remedy, outgoing = found
        del found
        self._notes = call.notes + outgoing.notes
        call.record.attempts += 1
        try:
            await self._sending(outgoing, lease, claim)
        except UpstreamError as error:
            if error.fault != "request":
                raise
            self._notes = notes
            raise refusal from None

    async def _mended(self, refusal: UpstreamError) -> tuple[Remedy, Outgoing] | None:
        """Write the request without what was refused; None when it is not known what that is."""
        build = self._builder()
        if len(self._call.request.raw) < LARGE_BYTES:
            return remedy_for(refusal, build())
        return await beside(self._call.router.reading, lambda: remedy_for(refusal, build()))

    def _learn(self, remedy: Remedy) -> None:
        """Write the next requests for this model as this one, which was taken."""
        call, candidate = self._call, self.candidate
        provider, model = candidate.provider.id, candidate.model
        if call.router.healing.learn(provider, model, remedy, trio.current_time()):
            call.router.on_remedy(provider, model, remedy)
        call.record.healed = str(remedy)

    async def _stop(self) -> None:
        """Be cancelled here, because another one answers, which has let go of the request."""
        await trio.lowlevel.checkpoint()

    async def _queued(self, key_group: str) -> Lease:
        call = self._call
        call.entering += 1
        try:
            return await upstream.queued(
                self.child,
                self.candidate.provider,
                self.candidate.model,
                call.record.request_id,
                call.patience,
                urgency_of(call.request),
                key_group=key_group,
            )
        finally:
            call.entering -= 1

    async def _exchange(self, outgoing: Outgoing, lease: Lease, claim: Claim | None) -> None:
        call, timers = self._call, self._call.router.timers
        try:
            if self._dialect.name == predictions.DIALECT:
                opening = predictions.opened(call, self.child, self._address, outgoing, lease)
            else:
                opening = upstream.opened(self.child, self._address, outgoing, lease, call.patience, timers)
            with await opening as answer:
                await self._answered(outgoing, answer, lease, claim)
        except UpstreamError as error:
            lease.outcome = upstream.outcome_of(error) or Success()
            raise
        except trio.Cancelled:
            self._note_left()
            raise

    def _note_left(self) -> None:
        """The client has left: the log says whom this cost something, and about how much."""
        if self._is_lost:
            return
        if not self._call.record.provider:
            self.note()
        reception.note_left(self._call)

    def _built(self, request: Request, canonical: Canonical | None) -> Outgoing:
        """Write the request for the provider. The call may let go of it meanwhile, and then is not made to hold it."""
        call, candidate = self._call, self.candidate
        if not candidate.target.profile.takes_images and shape.has_images(request.body):
            raise unseen(candidate.target)
        if self._dialect.name == call.client.name:
            return self._dialect.build_same(request, candidate.target)
        if canonical is None:
            canonical = call.client.canonical(request)
            if call.request is request:
                call.canonical = canonical
        outgoing = self._dialect.build(canonical, request, candidate.target)
        estimate = call.router.calibration.corrected(candidate.model, call.sent_estimate)
        outgoing.context = replace(outgoing.context, input_estimate=estimate)
        if canonical.notes:
            outgoing.notes = tuple(dict.fromkeys((*canonical.notes, *outgoing.notes)))
        return outgoing

    async def _answered(self, outgoing: Outgoing, answer: Answer, lease: Lease, claim: Claim | None) -> None:
        call, provider = self._call, self.candidate.provider
        headers = answer.headers
        self._upstream_request_id = upstream.request_id_of(headers, self._address.keyed)
        self._headers = ratelimits.passed_on(
            headers, call.record.dialect, self._dialect.name, call.router.unix_time()
        )
        if answer.status != 200:
            raise await self._refusal(outgoing, answer)
        if self._remedy is not None:
            self._learn(self._remedy)
        if claim is None or claim(self):
            self.note()
            is_stream = headers.get("content-type", "").lower().startswith(_STREAM_TYPES)
            gatherer = gatherer_of(call, provider) if self._is_stateful else None
            incoming = Incoming(provider, self._dialect, outgoing, answer, lease, is_stream, gatherer)
            await reception.deliver(call, incoming)

    async def _refusal(self, outgoing: Outgoing, answer: Answer) -> UpstreamError:
        if answer.status == 401 and answer.token is not None and self._address.tokens is not None:
            self._address.tokens.reject(answer.token)
            self._has_rejected_token = True
        body = await reception.error_body(answer)
        if answer.status < 300:
            return unreadable(outgoing.context.provider, f"answered {answer.status}, which is no answer", body)
        if answer.status < 400:
            return unreadable(outgoing.context.provider, "answered with a redirect, which is never followed")
        return self._dialect.decode_error(answer.status, answer.headers, body, outgoing.context)
