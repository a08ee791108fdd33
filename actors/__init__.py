"""Supervised actors on Trio, and the upstreams they stand for.

The kernel (mailbox, ref, supervisor) knows nothing of networks. A `Provider` is an actor that admits work to
one upstream, with the pool of connections that the work then uses.
"""

from actors.actor import Actor, ActorChild, serve
from actors.bridge import Bridge, RemoteRef
from actors.errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskTimeout,
    ChildGaveUp,
    Draining,
    MailboxFull,
    Phase,
    PoolError,
    PoolFault,
    Refusal,
    WireError,
)
from actors.lease import Abandoned, Failure, FailureKind, Lease, Outcome, Success
from actors.mailbox import Mailbox, MailboxStatistics, Reply
from actors.network import Network, RealNetwork, client_tls
from actors.pool import Pool, PoolStatistics
from actors.provider import (
    Admit,
    Board,
    Drain,
    Provider,
    ProviderSpec,
    ProviderState,
    ProviderStatus,
    Reconfigure,
    Settle,
)
from actors.ref import Question, Ref
from actors.request import Headers, Limits, Origin, UpstreamRequest
from actors.resolver import CachedResolver, Resolver, SystemResolver
from actors.response import UpstreamResponse
from actors.restarts import Intensity
from actors.supervisor import Child, ChildStatistics, SupervisionEvent, Supervisor, open_supervisor
from actors.wire import Codec, FrameDecoder, frame

__all__ = [
    "Abandoned",
    "Actor",
    "ActorChild",
    "ActorCrashed",
    "ActorError",
    "ActorStopped",
    "Admit",
    "AskTimeout",
    "Board",
    "Bridge",
    "CachedResolver",
    "Child",
    "ChildGaveUp",
    "ChildStatistics",
    "Codec",
    "Drain",
    "Draining",
    "Failure",
    "FailureKind",
    "FrameDecoder",
    "Headers",
    "Intensity",
    "Lease",
    "Limits",
    "Mailbox",
    "MailboxFull",
    "MailboxStatistics",
    "Network",
    "Origin",
    "Outcome",
    "Phase",
    "Pool",
    "PoolError",
    "PoolFault",
    "PoolStatistics",
    "Provider",
    "ProviderSpec",
    "ProviderState",
    "ProviderStatus",
    "Question",
    "RealNetwork",
    "Reconfigure",
    "Ref",
    "Refusal",
    "RemoteRef",
    "Reply",
    "Resolver",
    "Settle",
    "Success",
    "SupervisionEvent",
    "Supervisor",
    "SystemResolver",
    "UpstreamRequest",
    "UpstreamResponse",
    "WireError",
    "client_tls",
    "frame",
    "open_supervisor",
    "serve",
]
