# Every name of this package and the module that it comes from: `__init__.py` loads by this list.

from .actor import Actor, ActorChild, serve
from .admission import Admit, Drain, Learn, Reconfigure, Settle, Share
from .backing import Backed, Backing
from .borrower import Borrower
from .branch import Branch
from .breaker import Breaker, BreakerSpec, BreakerState, BreakerStatus
from .bridge import Bridge, RemoteRef
from .cache import Cache
from .cache_spec import CacheSpec, CacheStatistics
from .errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskTimeout,
    BreakerOpen,
    ChildGaveUp,
    CoolingDown,
    Draining,
    KeyFault,
    LimitReached,
    MailboxFull,
    Phase,
    PoolError,
    PoolFault,
    Refusal,
    WireError,
)
from .hot import Hot, HotStatistics
from .http1 import header_block
from .keyring import KeyStatus
from .lease import Abandoned, Failure, FailureKind, Lease, Outcome, Success
from .lending import Want
from .limits import LIMITS_MESSAGES, Declare, Leave, Lender, LimitsMessage, LimitsStatistics
from .link import Link, LinkEvents, LinkRef, greet
from .lookup import (
    CACHE_MESSAGES,
    AwaitClear,
    Busy,
    CacheMessage,
    Clear,
    Fill,
    Forfeit,
    Gone,
    Hit,
    Lookup,
    Note,
    Recall,
)
from .mailbox import Mailbox, MailboxStatistics, Reply
from .metrics import Measured, Metrics, Snapshot
from .network import Network, RealNetwork
from .pool import Pool, PoolStatistics
from .provider import Provider
from .proxy import Proxy
from .pump import Pump, Take
from .redis import RedisBacking, RedisEvent, RedisSpec
from .redis_address import RedisAddress
from .ref import Question, Ref
from .rendezvous import rank, ranked, weighted
from .request import Headers, Limits, OnWait, Origin, UpstreamRequest, Waiting, nobody_waits
from .resolver import CachedResolver, Resolver, SystemResolver
from .response import UpstreamResponse
from .restarts import Intensity
from .retry_budget import Retry, RetryBudget
from .share import Shares
from .spec import Board, Fact, Observed, ProviderEvent, ProviderSpec, ProviderState, ProviderStatus
from .sqlite import SqliteBacking, SqliteEvent, SqliteSpec
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
from .ticket import Ticket
from .timers import Ring, Timers
from .tls import Tls, client_tls
from .totals import (
    Count,
    Counter,
    Histogram,
    Labels,
    MetricsSnapshot,
    Observation,
    Tally,
    Totals,
    merged,
)
from .transport import PoolTransport
from .waiting import Urgency
from .wire import Codec, FrameDecoder, frame

__all__ = [
    "CACHE_MESSAGES",
    "LIMITS_MESSAGES",
    "Abandoned",
    "Actor",
    "ActorChild",
    "ActorCrashed",
    "ActorError",
    "ActorStopped",
    "Admit",
    "AskTimeout",
    "AwaitClear",
    "Backed",
    "Backing",
    "Board",
    "Borrower",
    "Branch",
    "Breaker",
    "BreakerOpen",
    "BreakerSpec",
    "BreakerState",
    "BreakerStatus",
    "Bridge",
    "Busy",
    "Cache",
    "CacheMessage",
    "CacheSpec",
    "CacheStatistics",
    "CachedResolver",
    "Child",
    "ChildGaveUp",
    "ChildState",
    "ChildStatistics",
    "Clear",
    "Codec",
    "CoolingDown",
    "Count",
    "Counter",
    "Declare",
    "Drain",
    "Draining",
    "Fact",
    "Failure",
    "FailureKind",
    "Fill",
    "Forfeit",
    "FrameDecoder",
    "Gone",
    "Headers",
    "Histogram",
    "Hit",
    "Hot",
    "HotStatistics",
    "Inside",
    "Intensity",
    "KeyFault",
    "KeyStatus",
    "Labels",
    "Learn",
    "Lease",
    "Leave",
    "Lender",
    "LimitReached",
    "Limits",
    "LimitsMessage",
    "LimitsStatistics",
    "Link",
    "LinkEvents",
    "LinkRef",
    "Lookup",
    "Mailbox",
    "MailboxFull",
    "MailboxStatistics",
    "Measured",
    "Metrics",
    "MetricsSnapshot",
    "Network",
    "Note",
    "Observation",
    "Observed",
    "OnWait",
    "Origin",
    "Outcome",
    "Phase",
    "Pool",
    "PoolError",
    "PoolFault",
    "PoolStatistics",
    "PoolTransport",
    "Provider",
    "ProviderEvent",
    "ProviderSpec",
    "ProviderState",
    "ProviderStatus",
    "Proxy",
    "Pump",
    "Question",
    "RealNetwork",
    "Recall",
    "Reconfigure",
    "RedisAddress",
    "RedisBacking",
    "RedisEvent",
    "RedisSpec",
    "Ref",
    "Refusal",
    "RemoteRef",
    "Reply",
    "Resolver",
    "Restart",
    "Retry",
    "RetryBudget",
    "Ring",
    "Settle",
    "Share",
    "Shares",
    "Snapshot",
    "SqliteBacking",
    "SqliteEvent",
    "SqliteSpec",
    "Strategy",
    "Success",
    "SupervisionEvent",
    "Supervisor",
    "SystemResolver",
    "Take",
    "Tally",
    "Ticket",
    "Timers",
    "Tls",
    "Totals",
    "UpstreamRequest",
    "UpstreamResponse",
    "Urgency",
    "Waiting",
    "Want",
    "WireError",
    "client_tls",
    "frame",
    "greet",
    "header_block",
    "merged",
    "nobody_waits",
    "open_supervisor",
    "rank",
    "ranked",
    "serve",
    "weighted",
]
