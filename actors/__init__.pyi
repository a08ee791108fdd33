# Every name of this package and the module that it comes from: `__init__.py` loads by this list.

from .actor import Actor, ActorChild, serve
from .borrower import Borrower
from .branch import Branch
from .bridge import Bridge, RemoteRef
from .errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskTimeout,
    ChildGaveUp,
    Draining,
    LimitReached,
    MailboxFull,
    Phase,
    PoolError,
    PoolFault,
    Refusal,
    WireError,
)
from .lease import Abandoned, Failure, FailureKind, Lease, Outcome, Success
from .lending import Want
from .limits import LIMITS_MESSAGES, Leave, Lender, LimitsMessage, LimitsStatistics
from .mailbox import Mailbox, MailboxStatistics, Reply
from .network import Network, RealNetwork, client_tls
from .pool import Pool, PoolStatistics
from .provider import (
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
from .ref import Question, Ref
from .request import Headers, Limits, Origin, UpstreamRequest
from .resolver import CachedResolver, Resolver, SystemResolver
from .response import UpstreamResponse
from .restarts import Intensity
from .supervisor import (
    Child,
    ChildState,
    ChildStatistics,
    Inside,
    Restart,
    Strategy,
    SupervisionEvent,
    Supervisor,
    open_supervisor,
)
from .wire import Codec, FrameDecoder, frame

__all__ = [
    "LIMITS_MESSAGES",
    "Abandoned",
    "Actor",
    "ActorChild",
    "ActorCrashed",
    "ActorError",
    "ActorStopped",
    "Admit",
    "AskTimeout",
    "Board",
    "Borrower",
    "Branch",
    "Bridge",
    "CachedResolver",
    "Child",
    "ChildGaveUp",
    "ChildState",
    "ChildStatistics",
    "Codec",
    "Drain",
    "Draining",
    "Failure",
    "FailureKind",
    "FrameDecoder",
    "Headers",
    "Inside",
    "Intensity",
    "Lease",
    "Leave",
    "Lender",
    "LimitReached",
    "Limits",
    "LimitsMessage",
    "LimitsStatistics",
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
    "Restart",
    "Settle",
    "Strategy",
    "Success",
    "SupervisionEvent",
    "Supervisor",
    "SystemResolver",
    "UpstreamRequest",
    "UpstreamResponse",
    "Want",
    "WireError",
    "client_tls",
    "frame",
    "open_supervisor",
    "serve",
]
