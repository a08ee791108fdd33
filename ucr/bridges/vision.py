"""Describes images to models that take none, by asking another model for each.

Descriptions are kept for a while, for each client apart and under keyed digests, so that a conversation in which an
image stands is not described anew with every turn.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import trio
from msgspec.structs import replace

from actors.hot import Hot
from ucr import jsontext
from ucr.bridges import images
from ucr.bridges.part import PartClient
from ucr.bridges.weave import Strand, Weave
from ucr.config.bridge_model import Vision
from ucr.config.model import Config
from ucr.delivery import Delivery
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.roles import Canonical, HeaderList, Request
from ucr.errors import ApiError, UpstreamError
from ucr.events import Text
from ucr.exchange import Direct
from ucr.jsontext import JsonObject
from ucr.record import Record
from ucr.routing import Candidate, served

if TYPE_CHECKING:
    from ucr.call import Call

Answering = Callable[["Call", Sequence[Candidate]], Awaitable[None]]
"""What asks candidates for an answer, in order, and tells the client's delivery when nobody has one."""

ROUTE = "vision"
AT_ONE_TIME = 4
_ENTRIES = 10_000
_CHARS_A_TOKEN = 8


@dataclass(frozen=True, slots=True)
class Description:
    """What an image shows, in words, and which model said so."""

    words: str
    by: str

    @property
    def text(self) -> str:
        """What the model that takes no images gets."""
        return f"[An image, as {self.by} describes it:]\n{self.words}"


class Nowhere:
    """Where answers go that nobody waits for at the other end; see `ucr.exchange.Sink`."""

    direct: Direct | None = None

    async def start(self, status: int, headers: HeaderList) -> None:
        pass

    async def send(self, data: bytes) -> None:
        pass

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        raise AssertionError("what is whole needs no keep-alive")

    async def finish(self, last: bytes = b"") -> None:
        pass


class Eyes:
    """The models of a configuration that describe images, and what they said."""

    def __init__(self, vision: Vision, config: Config) -> None:
        self._vision = vision
        self._candidates = tuple(served(config, vision.targets, "", ROUTE))
        self._key = secrets.token_bytes(32)
        self._kept: Hot[Description] = Hot(vision.ttl_s, _ENTRIES, vision.max_bytes, trio.current_time)

    def __repr__(self) -> str:
        return f"<Eyes {self._kept!r}>"

    async def described(
        self, answering: Answering, call: "Call", body: JsonObject
    ) -> tuple[JsonObject, str, int]:
        """Return a request with words in place of images, who described them, and how many had to be described now.

        Raise `ApiError` when there are too many, or one cannot be described.
        """
        shown = images.images_of(body)
        if len(shown) > self._vision.max_images:
            words = f"the request has {len(shown)} images; the model takes none, and at most "
            raise ApiError(
                "invalid_request_error", f"{words}{self._vision.max_images} are described in its place"
            )
        keys = {images.digest_of(image): self._key_of(call, image) for image in shown}
        known = {digest: found for digest, key in keys.items() if (found := self._kept.get(key)) is not None}
        missing = [image for image in shown if images.digest_of(image) not in known]
        made = await self._all(answering, call, missing)
        for digest, description in made.items():
            size = len(description.words) * 4
            until = trio.current_time() + self._vision.ttl_s
            self._kept.put(keys[digest], description, size, until, self._kept.epoch)
        known |= made
        by = ", ".join(sorted({description.by for description in known.values()}))
        return images.with_words(body, lambda image: known[images.digest_of(image)].text), by, len(made)

    def _key_of(self, call: "Call", image: JsonObject) -> bytes:
        owner = (call.record.client or "").encode()
        return images.digest_of(image, self._key) + owner

    async def _all(
        self, answering: Answering, call: "Call", shown: Sequence[JsonObject]
    ) -> Mapping[bytes, Description]:
        """Describe images, several at one time; raise the first failure."""
        made: dict[bytes, Description] = {}
        failures: list[ApiError] = []
        turns = trio.CapacityLimiter(AT_ONE_TIME)

        async def describe(image: JsonObject) -> None:
            async with turns:
                if failures:
                    return
                try:
                    made[images.digest_of(image)] = await self._one(answering, call, image)
                except ApiError as error:
                    failures.append(error.without_frames())

        async with trio.open_nursery() as nursery:
            for image in shown:
                nursery.start_soon(describe, image)
        if failures:
            raise failures[0]
        return MappingProxyType(made)

    async def _one(self, answering: Answering, call: "Call", image: JsonObject) -> Description:
        body = images.question(image, self._vision.max_tokens)
        request = Request("anthropic", jsontext.dumps(body), body, "", False, call.request.headers)
        record = Record(call.record.request_id, call.record.worker, trio.current_time(), call.record.waited_s)
        client = AnthropicClient()
        failures: list[ApiError] = []
        delivery = Delivery(Nowhere(), client, record, call.router.timers)
        delivery.divert(Nowhere(), lambda error, _: failures.append(error))
        strand = Strand(Weave(client.encoder(request), MappingProxyType({})))
        part = replace(
            call,
            client=PartClient(client, Canonical(body), strand, lambda: None),
            request=request,
            record=record,
            delivery=delivery,
            canonical=None,
            restored=None,
            notes=(),
            bridge=None,
            is_part=True,
            entering=0,
            attempts_before=0,
            _sent_estimate=None,
        )
        await answering(part, self._candidates)
        call.record.side_nano += call.router.pricing.cost_of(record) or 0
        reply = strand.reply
        said = "" if reply is None else "".join(b.text for b in reply.content if isinstance(b, Text)).strip()
        if not said:
            raise _failed(failures[0] if failures else None)
        limit = self._vision.max_tokens * _CHARS_A_TOKEN
        return Description(said[:limit], f"{record.provider}/{record.model_used}")


def _failed(error: ApiError | None) -> ApiError:
    words = "an image, which the model does not take, could not be described in its place"
    if error is None:
        return UpstreamError("api_error", f"{words}: nothing was said of it", fault="server")
    if not isinstance(error, UpstreamError):
        return ApiError(error.type, f"{words}: {error.message}", status=error.status)
    return UpstreamError(
        error.type,
        f"{words}: {error.message}",
        fault=error.fault,
        status=error.status,
        upstream_status=error.upstream_status,
        retry_after_s=error.retry_after_s,
        should_retry=error.should_retry,
        code=error.code,
    )
