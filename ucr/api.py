"""The routes of the HTTP surface, and the edge of every request: what goes wrong is answered here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio
from msgspec import Struct

from ucr import __version__, access, admin, again, explaining, models
from ucr.call import Router, note_request
from ucr.config.model import Client, Config
from ucr.control import Control
from ucr.count import count_tokens
from ucr.delivery import error_headers
from ucr.dialects import registry
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.gemini import client as gemini
from ucr.dialects.ollama import client as ollama
from ucr.dialects.openai_chat.client import PATHS
from ucr.dialects.roles import ClientDialect, HeaderList
from ucr.errors import ApiError
from ucr.exchange import Exchange
from ucr.generation import Generation
from ucr.jsontext import dumps
from ucr.limits import ClientLimits, Entry
from ucr.logs import Log
from ucr.parsing import Parse, parsed
from ucr.patience import Patience
from ucr.pressure import Pressure, short
from ucr.record import Record
from ucr.refusals import Refusals
from ucr.relay import relay
from ucr.reporting import Reporter
from ucr.route_table import Route, RouteTable
from ucr.ui import dashboard
from ucr.ui.dashboard import Dashboard
from ucr.views import RequestCount

_RESPONSES_PATH = "/v1/responses"
_NO_MEMORY = "the router has no memory for this request; try again, or send a smaller one"
_NO_MEMORY_RETRY_S = 5


class Visit(Struct, eq=False):
    """One request at the edge. `caller` is whose key it brought, where clients are configured, and `is_json` says whether
    its body says to be JSON."""

    exchange: Exchange
    client: ClientDialect
    record: Record
    patience: Patience
    router: Router
    caller: Client | None = None
    is_json: bool = False


Endpoint = Callable[["Api", Visit], Awaitable[None]]

_GUARDS_OF_HEADS = ("client", "open")
"""Guards that look at nothing but the head and the configuration."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What a head decides, as long as this is the configuration: its route, whose key it brings, and what its body is."""

    config: Config
    route: Route[Endpoint]
    caller: Client | None
    is_json: bool


class Api:
    """Answers exchanges. `interrupt` ends the open ones with an error in their own dialect.

    A request keeps the router that was published when it began. Under `pressure` none begins.
    """

    def __init__(
        self,
        router: Router,
        limits: ClientLimits,
        log: Log,
        reporter: Reporter,
        pressure: Pressure,
    ) -> None:
        self.generation = Generation(router)
        self.limits = limits
        self.pressure = pressure
        self.control: Control | None = None
        self.dashboard: Dashboard | None = None
        self._log = log
        self._reporter = reporter
        self._started = 0
        self._former: tuple[Generation, ...] = ()
        self._refusals = Refusals()
        self._clients = registry.clients(router.unix_time)
        self.is_draining = False

    def publish(self, router: Router, number: int | None = None) -> Generation:
        """Give this router to every request from now on; return the generation that it succeeds."""
        before = self.generation
        self._former = self._generations()
        self.generation = Generation(router, before.number + 1 if number is None else number)
        return before

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request, whatever it is, and if that fails say so: nobody is left without an answer."""
        generation = self.generation
        router = generation.router
        router.pump.catch_up()
        patience = Patience(router.config.timeouts.total_s, router.timers.now)
        record = Record(exchange.request_id, router.worker, patience.began_s, patience.waited_s)
        record.peer = exchange.peer
        exchange = self._reporter.watched(exchange, record, router)
        badge = exchange.badge
        admission: Admission | None = badge.admission
        if admission is not None and admission.config is not router.config:
            admission = None
        client = self._clients[badge.dialect or dialect_of(exchange)]
        visit = Visit(exchange, client, record, patience, router)
        record.dialect = client.name
        self._started += 1
        generation.open[patience] = None
        try:
            if exchange.fault is not None:
                raise exchange.fault
            if router.answers is not None and not self.pressure.is_shedding:
                known = again.find(exchange, router, exchange.whole)
                if known is not None:
                    return await again.give(known, exchange, record, patience.now())
            if admission is None:
                admission = self._admission(visit)
            visit.caller, visit.is_json = admission.caller, admission.is_json
            await admission.route.endpoint(self, visit)
        except ApiError as error:
            await _fail(visit, error.without_frames())
        except MemoryError:
            self._log.error("memory.exhausted", request_id=exchange.request_id)
            await _fail(visit, ApiError("overloaded_error", _NO_MEMORY, retry_after_s=_NO_MEMORY_RETRY_S))
        except Exception as error:  # noqa: BLE001 - the request's edge
            self._log.error("request.crashed", request_id=exchange.request_id, error=repr(error))
            await _fail(visit, ApiError("api_error", "the router failed; see its log for this request-id"))
        finally:
            del generation.open[patience]
            self._reporter.report(exchange, record, router)
            if generation.is_awaited:
                generation.look()

    def _admission(self, visit: Visit) -> "Admission":
        """Let a request through to its route, and note so on its head's badge; raise `ApiError` for others."""
        exchange, config = visit.exchange, visit.router.config
        access.check_host(exchange.path, exchange.headers, config.server.allowed_hosts)
        access.check_origin(exchange.headers, config.server.allowed_origins)
        route = _TABLE.find(exchange.method, exchange.path)
        caller = self._caller(visit, route.guard)
        admission = Admission(config, route, caller, access.is_json(exchange.headers))
        if route.guard in _GUARDS_OF_HEADS:
            exchange.badge.admission = admission
        return admission

    def _caller(self, visit: Visit, guard: str) -> Client | None:
        """Return who may use a route; raise `ApiError` 401 or 403 for others, 429 for one that goes on."""
        exchange, config = visit.exchange, visit.router.config
        try:
            if guard == "client":
                return access.check_client(exchange.headers, config.clients)
            if guard == "admin":
                access.check_admin(exchange.headers, exchange.peer, config)
            elif guard != "open":
                self.seen().check(guard, exchange.headers, exchange.peer, config)
        except ApiError as error:
            raise self.refused(exchange.peer, error) from None
        return None

    def seen(self) -> Dashboard:
        """Return the dashboard; raise `ApiError` 529 when it is not there yet."""
        if self.dashboard is None:
            raise _starting()
        return self.dashboard

    def refused(self, peer: str, error: ApiError) -> ApiError:
        """Return what to say to one who may not use a route; wrong keys are counted."""
        if error.type != "authentication_error":
            return error
        return self._refusals.note(access.host_of(peer), trio.current_time(), error)

    def requests(self) -> RequestCount:
        """Return how many exchanges began, and how many are under way."""
        state = "draining" if self.is_draining else "serving"
        number = self.generation.number
        under_way = sum(len(generation.open) for generation in self._generations())
        return RequestCount(self._started, under_way, number, state, self.pressure.level)

    def _generations(self) -> tuple[Generation, ...]:
        """Return those in which requests may be open, and forget the others: a worker asks once a second."""
        self._former = tuple(former for former in self._former if former.open)
        return (*self._former, self.generation)

    def interrupt(self) -> None:
        """End the requests that are still open: the grace time is over."""
        error = ApiError("overloaded_error", "the router is shutting down; try again", retry_after_s=1)
        for generation in self._generations():
            for patience in tuple(generation.open):
                patience.interrupt(error)

    async def wait_idle(self) -> None:
        """Return when no request is open."""
        while open_ones := [generation for generation in self._generations() if generation.open]:
            await open_ones[0].wait_left()


def dialect_of(exchange: Exchange) -> str:
    """Return the name of the dialect in which a path, and so its client, speaks, and note it on its head's badge."""
    exchange.badge.dialect = dialect = _dialect_of(exchange)
    return dialect


def _dialect_of(exchange: Exchange) -> str:
    if exchange.path.startswith("/v1/models"):
        return models.dialect_of(exchange.method, exchange.path, exchange.headers)
    if exchange.path.startswith(_RESPONSES_PATH):
        return "openai-responses"
    if exchange.path.startswith(PATHS):
        return "openai-chat"
    if exchange.path.startswith("/api/"):
        return ollama.DIALECT
    return "gemini" if exchange.path[:8] == "/v1beta/" else "anthropic"


async def _fail(visit: Visit, error: ApiError) -> None:
    exchange, record = visit.exchange, visit.record
    record.error_type = error.type
    if exchange.is_finished:
        return None
    if exchange.is_started:
        return await exchange.finish(visit.client.encode_stream_error(error, record.request_id))
    close = (("connection", "close"),) if error.status in (408, 413, 415, 431) else ()
    body = visit.client.encode_error(error, record.request_id)
    return await send_json(visit, error.status, body, error_headers(error) + close)


async def send_json(visit: Visit, status: int, body: bytes, headers: HeaderList = ()) -> None:
    """Send a whole JSON answer."""
    await send_body(visit, status, body, "application/json", headers)


async def send_body(
    visit: Visit, status: int, body: bytes, content_type: str, headers: HeaderList = ()
) -> None:
    """Send a whole answer."""
    visit.record.status = status
    kind = (("content-type", content_type), ("content-length", str(len(body))))
    await visit.exchange.start(status, kind + visit.record.headers(trio.current_time()) + headers)
    await visit.exchange.finish(body)


def _check_body(api: Api, visit: Visit) -> None:
    """Let a body be read; raise `ApiError` 529 where there is no memory for one, 415 for one that says to be no JSON."""
    if api.pressure.is_shedding:
        raise short()
    if not visit.is_json:
        raise access.no_json(visit.exchange.headers)


def _relay(api: Api, visit: Visit) -> Awaitable[None]:
    _check_body(api, visit)
    if visit.caller is None:
        return _relay_as(api.limits.nobody, visit)
    return _relay_for(visit.caller, api, visit)


async def _relay_for(caller: Client, api: Api, visit: Visit) -> None:
    with await api.limits.enter(caller, visit.record) as entry:
        return await _relay_as(entry, visit)


def _relay_as(entry: Entry, visit: Visit) -> Awaitable[None]:
    if visit.exchange.headers.get(explaining.HEADER) == "1":
        return _explain(visit)
    return relay(visit.exchange, visit.client, visit.router, visit.record, visit.patience, entry)


async def _explain(visit: Visit) -> None:
    """Say how the request would be routed; nothing is sent to any provider."""
    router, exchange = visit.router, visit.exchange
    raw = await exchange.body(router.config.server.body_limit_bytes)
    request = await parsed(router, visit.client.parse, raw, exchange.headers)
    note_request(visit.record, request)
    found = await explaining.explanation(router, visit.client, request, visit.caller)
    await send_json(visit, 200, dumps(found))


async def _count(api: Api, visit: Visit) -> None:
    _check_body(api, visit)
    tokens = await _counted(visit, AnthropicClient().parse_count)
    await send_json(visit, 200, dumps({"input_tokens": tokens}))


async def _counted(visit: Visit, parse: Parse) -> int:
    visit.record.client = None if visit.caller is None else visit.caller.name
    return await count_tokens(visit.exchange, visit.router, visit.record, visit.patience, parse, visit.caller)


async def _gemini(api: Api, visit: Visit) -> None:
    """Answer a client of Gemini's, whose path says what it asks of which model."""
    called = gemini.called(visit.exchange.path, visit.exchange.query)
    visit.client = client = gemini.GeminiClient(called)
    if called.action != gemini.COUNT:
        return await _relay(api, visit)
    _check_body(api, visit)
    return await send_json(visit, 200, dumps({"totalTokens": await _counted(visit, client.parse_count)}))


async def _ollama(api: Api, visit: Visit) -> None:
    generates = visit.exchange.path == ollama.GENERATE_PATH
    visit.client = ollama.OllamaClient(visit.router.unix_time, generates=generates)
    await _relay(api, visit)


async def _version(api: Api, visit: Visit) -> None:
    await send_json(visit, 200, dumps({"version": __version__}))


async def _models(api: Api, visit: Visit) -> None:
    body = models.models_body(visit.router.config, visit.client.name, visit.exchange.query, visit.caller)
    await send_json(visit, 200, body)


async def _model(api: Api, visit: Visit) -> None:
    name = gemini.model_in(visit.exchange.path)
    body = models.model_body(visit.router.config, visit.client.name, name, visit.caller)
    await send_json(visit, 200, body)


async def _admin(api: Api, visit: Visit) -> None:
    if api.control is None:
        raise _starting()
    page = await admin.page(visit.exchange, api.control, visit.router.config)
    await send_body(visit, page.status, page.body, page.content_type)


async def _ui(api: Api, visit: Visit) -> None:
    if api.control is None:
        raise _starting()
    page = await api.seen().page(visit.exchange, api.control, visit.router.config)
    await send_body(visit, page.status, page.body, page.content_type, page.headers)


def _starting() -> ApiError:
    return ApiError("overloaded_error", "the router is starting; try again", retry_after_s=1)


async def _kept_responses(api: Api, visit: Visit) -> None:
    """Refuse to give what is not kept; a WebSocket with 426, at which its clients turn to POST without a pause."""
    if visit.exchange.headers.get("upgrade", "").lower() == "websocket":
        raise ApiError("invalid_request_error", "WebSockets are not served on this path", status=426)
    raise ApiError(
        "not_found_error", "no responses are kept here; ask with POST /v1/responses", code="not_found"
    )


async def _health(api: Api, visit: Visit) -> None:
    await send_json(visit, 200, b'{"status":"ok"}')


async def _ready(api: Api, visit: Visit) -> None:
    if api.is_draining:
        return await send_json(visit, 503, b'{"status":"draining"}')
    return await send_json(visit, 200, b'{"status":"ready"}')


async def _root(api: Api, visit: Visit) -> None:
    await send_json(visit, 200, dumps({"name": "ucr-trio", "docs": "/v1/models, /v1/providers, /health"}))


ROUTES: tuple[Route[Endpoint], ...] = (
    Route(("POST",), "/v1/messages", _relay),
    Route(("POST",), "/v1/chat/completions", _relay),
    Route(("POST",), "/v1/messages/count_tokens", _count),
    Route(("GET",), "/v1/models", _models),
    Route(("GET",), "/v1beta/models", _models),
    *(Route(("GET",), prefix, _model, is_prefix=True) for prefix in gemini.MODELS),
    *(Route(("POST",), prefix, _gemini, is_prefix=True) for prefix in gemini.MODELS),
    *(Route(("POST",), path, _ollama) for path in ("/api/chat", ollama.GENERATE_PATH)),
    Route(("GET",), "/api/tags", _models),
    Route(("GET",), "/api/version", _version),
    Route(("POST",), _RESPONSES_PATH, _relay),
    Route(("GET",), _RESPONSES_PATH, _kept_responses),
    Route(("GET", "POST", "DELETE"), f"{_RESPONSES_PATH}/", _kept_responses, is_prefix=True),
    *(Route((method,), path, _admin, guard="admin") for method, path in admin.PAGES),
    *(Route((method,), path, _ui, guard, path.endswith("/")) for method, path, guard in dashboard.ROUTES),
    Route(("GET", "HEAD"), "/health", _health, guard="open"),
    Route(("GET", "HEAD"), "/ready", _ready, guard="open"),
    Route(("GET", "HEAD"), "/", _root, guard="open"),
)

_TABLE = RouteTable(ROUTES)
