"""What serves HTTP in a worker."""

from functools import partial
from typing import TYPE_CHECKING, Any, Union

from ucr.access import is_loopback
from ucr.api import Api
from ucr.asgi import AsgiApp, ServeSocket
from ucr.bodies import Bodies
from ucr.compression import Answer, Compressor
from ucr.config.model import Config
from ucr.connections import Connections, Limits, Report
from ucr.forwarding import Proxies
from ucr.lane.front import FrontLane, FrontServer
from ucr.proxied import Proxied
from ucr.request_ids import request_ids
from ucr.standby import Standby, guarded
from ucr.tls import Tls

if TYPE_CHECKING:
    from ucr.guard import GuardedServer


class NoServer:
    """What stands where nobody listens: requests come from within the process."""

    async def serve(self, _listeners: list[Any]) -> None:
        """Serve nobody."""

    async def drain(self) -> None:
        """Nothing is connected."""


Server = Union[FrontServer, "GuardedServer", NoServer]


def server_of(config: Config, api: Api, report: Report, serve_socket: ServeSocket | None = None) -> Server:
    """Return hypercorn behind its guard, and the front lane before it unless that is turned off.

    `serve_socket` serves the WebSockets of the live feed.
    """
    server = config.server
    limits = Limits(
        keep_alive_s=server.keep_alive_s,
        most=server.max_connections,
        most_per_address=server.max_connections_per_address,
    )
    proxies = Proxies(server.trusted_proxies)
    tls = None if server.tls_cert is None else Tls(config, report)
    connections = partial(
        Connections,
        limits=limits,
        report=report,
        is_shared=lambda address: is_loopback(address) or proxies.are_at(address),
        secure=None if tls is None else tls.secured,
    )
    answer, bodies = answer_of(config, api, proxies), Bodies(server.bodies_limit_bytes)
    router = api.generation.router
    new_request_id = request_ids(router.unix_time)
    app = AsgiApp(answer, new_request_id, server.body_limit_bytes, bodies, serve_socket)
    if not server.front_lane:
        return guarded(app, limits, connections)
    standby = Standby(app, limits, connections)
    timers, pump = router.timers, router.pump
    lane = FrontLane(answer, new_request_id, limits, standby.serve_one, router.unix_time, bodies, timers, pump)
    return FrontServer(lane, connections, standby.drain)


def answer_of(config: Config, api: Api, proxies: Proxies) -> Answer:
    """Return what answers exchanges: the API, and before it only what the configuration asks for."""
    answer: Answer = api.answer
    if config.server.compression:
        answer = Compressor(answer).answer
    if proxies:
        answer = Proxied(answer, proxies, config.server.max_connections_per_address).answer
    return answer
