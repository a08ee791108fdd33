"""What serves HTTP in a worker."""

from ucr.api import Api, new_request_id
from ucr.asgi import AsgiApp
from ucr.bodies import Bodies
from ucr.config.model import Config
from ucr.connections import Limits, Report
from ucr.guard import GuardedServer
from ucr.lane.front import FrontLane, FrontServer

Server = FrontServer | GuardedServer


def server_of(config: Config, api: Api, report: Report) -> Server:
    """Return hypercorn behind its guard, and the front lane before it unless that is turned off."""
    server = config.server
    limits = Limits(
        keep_alive_s=server.keep_alive_s,
        most=server.max_connections,
        most_per_address=server.max_connections_per_address,
    )
    bodies = Bodies(server.bodies_limit_bytes)
    guarded = GuardedServer(
        AsgiApp(api.answer, new_request_id, server.body_limit_bytes, bodies), limits, report
    )
    if not server.front_lane:
        return guarded
    lane = FrontLane(
        api.answer, new_request_id, limits, guarded.serve_one, api.generation.router.unix_time, bodies
    )
    return FrontServer(lane, limits, report, guarded.drain)
