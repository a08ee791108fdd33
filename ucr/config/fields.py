"""Every key of the configuration file: one table, from which the reader, the schema and the reference come."""

from collections.abc import Mapping
from types import MappingProxyType

from ucr.config.backing_fields import BACKING
from ucr.config.bridge_fields import TOOLS, VISION
from ucr.config.field import COUNT, ID, NAMES, SECONDS, Field, Section
from ucr.config.journal_fields import JOURNAL
from ucr.config.kinds import (
    Choice,
    Flag,
    Key,
    Number,
    PerRoute,
    Table,
    TargetList,
    Text,
)
from ucr.config.model import TASKS, Cache, Logging, Router, Task
from ucr.config.money import BudgetKind
from ucr.config.money_fields import PRICES, USAGE
from ucr.config.otel_fields import OTEL
from ucr.config.provider_fields import LIMITS, PROVIDERS
from ucr.config.rule_fields import RULE
from ucr.config.server_fields import SERVER
from ucr.config.state_fields import STATE

_LOGGING, _CACHE = Logging(), Cache()
_ROUTER = Router()

LEVELS = ("debug", "info", "warning", "error", "critical")

BYTES = Number(1, 2**40, is_whole=True)
MEMORY_BYTES = Number(2**26, 2**40, is_whole=True)
DIGEST = Text(r"[0-9a-fA-F]{64}", "64 hexadecimal digits (the SHA-256 of the key)")

TIMEOUTS = Section(
    "timeouts",
    "Limits of one call to a provider; each may also stand in a provider, for that one alone.",
    LIMITS,
    "[timeouts]\nfirst_byte_s = 300\nidle_s = 240",
)

MODELS = Section(
    "models",
    "Further names for models: each key is a name that clients may ask for, its value a target.",
    (),
    '[models]\nfast = "groq/openai/gpt-oss-120b"',
    open_kind=TargetList(),
)

TASK_SAYS: Mapping[Task, str] = MappingProxyType(
    {
        "background": "what goes on beside the work, and for models of the haiku tier",
        "think": "requests that ask for thinking by a budget, or for a high effort",
        "long_context": "requests from `token_threshold` on",
        "web_search": "requests that want the provider to search the web",
        "image": "conversations in which an image stands",
        "subagent": "the work of subagents",
        "compaction": "summaries of conversations that have become too long",
        "title": "the titles of sessions",
        "classifier": "the judge of Claude Code's auto mode; without it, it goes to `default`",
    }
)

ROUTER = Section(
    "router",
    'Where requests go. A target is "provider" or "provider/model"; in a list, one follows when another fails.',
    (
        Field("default", TargetList(), "(none)", "Target of whatever nothing else claims."),
        Field("fallbacks", TargetList(), [], "Targets that follow those of every route."),
        Field(
            "max_attempts",
            Number(1, 10, is_whole=True),
            _ROUTER.max_attempts,
            "Calls to providers that one request may make, retries and hedges included.",
        ),
        Field(
            "hedge_after_s",
            PerRoute(SECONDS),
            {},
            "Silence after which the next candidate is asked as well; one number, or a table by route.",
            "s",
        ),
        Field(
            "on_disconnect",
            Choice(("cancel", "drain")),
            _ROUTER.on_disconnect,
            "When a client leaves: end the provider's answer, or read it on so that its usage is known.",
        ),
        Field("drain_s", SECONDS, _ROUTER.drain_s, "How long an answer is read on that nobody waits for.", "s"),
        *(Field(task, TargetList(), "(none)", f"Target for {TASK_SAYS[task]}.") for task in TASKS),
        VISION,
        Field(
            "token_threshold",
            COUNT,
            _ROUTER.token_threshold,
            "Size from which a request is a long context: what is read, and up to 8192 of what may be written.",
            "tokens",
        ),
        Field(
            "keywords",
            Flag(),
            _ROUTER.keywords,
            "Words in the last user message choose among the routes of tasks as well.",
        ),
        Field(
            "rules",
            Table(is_list=True),
            [],
            "Rules by which a request is routed or rewritten, in their order; see routing.md.",
            fields=RULE,
        ),
        Field(
            "custom",
            Text(says="a file's path"),
            "(none)",
            "Python file of a custom router, `def route(request)`, which runs in a process of its own.",
        ),
        Field(
            "custom_sees",
            Choice(("head", "body")),
            _ROUTER.custom_sees,
            "What the custom router is shown: what is known of a request, or its body as well.",
        ),
        Field(
            "custom_memory_bytes",
            MEMORY_BYTES,
            _ROUTER.custom_memory_bytes,
            "Address space that the custom router's process may take.",
            "bytes",
        ),
    ),
    '[router]\ndefault = ["deepseek", "groq/openai/gpt-oss-120b"]',
)

CLIENTS = Section(
    "clients",
    "Who may use the router. With any client configured, every request needs a key.",
    (
        Field("name", ID, "(required)", "Name of the client, in the log.", is_required=True),
        Field("key", Key(), "(none)", "The client's key."),
        Field("key_sha256", DIGEST, "(none)", "SHA-256 of the key, in hexadecimal; instead of `key`."),
        Field(
            "models",
            NAMES,
            [],
            "Models that the client may ask for, or patterns such as `claude-haiku*`; none: all.",
        ),
        Field("rpm", COUNT, "(none)", "Requests in any minute, over all workers."),
        Field(
            "tpm",
            Number(1, 10**12, is_whole=True),
            "(none)",
            "Tokens in any minute: input, output and what is written to a provider's cache.",
        ),
        Field("concurrency", COUNT, "(none)", "Requests at one time, over all workers."),
        Field(
            "budget",
            BudgetKind(),
            "(none)",
            'What the client may spend, such as `{ usd = 10.0, per = "day" }`; a number alone is for ever.',
            "USD",
        ),
    ),
    '[[clients]]\nname = "laptop"\nkey = "${UCR_LAPTOP_KEY}"',
    is_list=True,
)

ADMIN = Section(
    "admin",
    "Access to the admin routes; without a key they answer on loopback only.",
    (Field("key", Key(), "(none)", "Key of the admin routes."),),
    '[admin]\nkey = "${UCR_ADMIN_KEY}"',
)

LOGGING = Section(
    "logging",
    "What is logged, as JSON lines on standard output.",
    (
        Field("level", Choice(LEVELS), _LOGGING.level, "Least level that is logged."),
        Field("file", Text(says="a file's path"), "(none)", "File that gets every line as well."),
    ),
    '[logging]\nlevel = "info"',
)

CACHE = Section(
    "cache",
    "Complete answers without tool use are given again to the same request; see [caching.md](caching.md).",
    (
        Field("enabled", Flag(), _CACHE.enabled, "Whether answers are kept."),
        Field("streams", Flag(), _CACHE.streams, "Whether answers that are streams are kept as well."),
        Field("ttl_s", SECONDS, _CACHE.ttl_s, "How long an answer is given again.", "s"),
        Field("max_entries", COUNT, _CACHE.max_entries, "Number of answers that are kept."),
        Field("max_bytes", BYTES, _CACHE.max_bytes, "Memory that they may take.", "bytes"),
        Field(
            "hot_ttl_s",
            SECONDS,
            _CACHE.hot_ttl_s,
            "How long each worker keeps an answer at hand that nobody wants again.",
            "s",
        ),
        Field(
            "hot_entries",
            Number(0, 1_000_000, is_whole=True),
            _CACHE.hot_entries,
            "Number of answers at hand; 0: none.",
        ),
        Field(
            "hot_max_bytes", BYTES, _CACHE.hot_max_bytes, "Memory that they may take in each worker.", "bytes"
        ),
        Field(
            "scope",
            Choice(("worker", "node")),
            _CACHE.scope,
            "One cache for all workers of the machine (`node`), or one in each `worker`.",
        ),
        Field(
            "coalesce",
            Flag(),
            _CACHE.coalesce,
            "Whether like requests on their way at one time share one answer; needs `enabled`.",
        ),
        *BACKING,
    ),
    "[cache]\nttl_s = 60",
)
MEMORY = Section(
    "memory",
    "When memory gets short. Workers share three quarters of what the machine has, if no limit is set.",
    (
        Field(
            "worker_limit_bytes",
            MEMORY_BYTES,
            "(a share)",
            "What a worker may take; see reliability.md.",
            "bytes",
        ),
    ),
    "[memory]\nworker_limit_bytes = 536870912",
)

_ACCESS = (SERVER, TIMEOUTS, PROVIDERS, MODELS, ROUTER, TOOLS, CLIENTS)
SECTIONS = (*_ACCESS, PRICES, ADMIN, LOGGING, USAGE, JOURNAL, CACHE, STATE, MEMORY, OTEL)
