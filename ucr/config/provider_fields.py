"""The keys of a provider, those of its dialect's peculiarities among them."""

from actors.breaker import BreakerSpec
from ucr.catalogue import Quirks
from ucr.config.field import COUNT, ID, NAMES, SECONDS, Field, Section
from ucr.config.kinds import Choice, Flag, HeaderTable, Key, Listing, Number, ProxyUrl, Table, Text, Url
from ucr.config.model import Provider, Timeouts
from ucr.config.quirk_fields import quirk_keys, quirk_kind, quirk_sentence
from ucr.config.sign_in_fields import SIGN_IN

DIALECTS = (
    "anthropic",
    "bedrock",
    "cohere",
    "gemini",
    "ollama",
    "openai-chat",
    "openai-responses",
    "replicate",
)
AUTHS = ("bearer", "x-api-key", "x-goog-api-key", "api-key", "both", "none")
_TIMEOUTS = Timeouts()
_PROVIDER = Provider("", "", "")
_BREAKER = BreakerSpec()
_QUIRKS = Quirks()

PERCENT = Number(1, 100)

LIMITS = (
    Field("connect_s", SECONDS, _TIMEOUTS.connect_s, "Limit of connecting to a provider.", "s"),
    Field("first_byte_s", SECONDS, _TIMEOUTS.first_byte_s, "Limit until the first byte of an answer.", "s"),
    Field("idle_s", SECONDS, _TIMEOUTS.idle_s, "Limit of silence within an answer.", "s"),
    Field("total_s", SECONDS, _TIMEOUTS.total_s, "Limit of a whole call.", "s"),
)

BREAKER = (
    Field("enabled", Flag(), _BREAKER.enabled, "False lets every request through, whatever happened before."),
    Field(
        "consecutive_failures",
        COUNT,
        _BREAKER.consecutive_failures,
        "So many failures in a row open the breaker.",
    ),
    Field(
        "error_percent",
        PERCENT,
        _BREAKER.error_percent,
        "So large a share of failures in the window opens it as well.",
        "%",
    ),
    Field("window_s", SECONDS, _BREAKER.window_s, "Window in which shares are counted.", "s"),
    Field("min_calls", COUNT, _BREAKER.min_calls, "With fewer calls in the window no share is looked at."),
    Field(
        "slow_s", SECONDS, "(none)", "A call whose first byte takes longer is slow; without it none is.", "s"
    ),
    Field(
        "slow_percent",
        PERCENT,
        _BREAKER.slow_percent,
        "So large a share of slow calls opens the breaker too.",
        "%",
    ),
    Field("reset_s", SECONDS, _BREAKER.reset_s, "How long an open breaker refuses everything.", "s"),
    Field(
        "max_reset_s", SECONDS, _BREAKER.max_reset_s, "Each time in a row is twice as long, up to this.", "s"
    ),
    Field(
        "probes", COUNT, _BREAKER.probes, "Requests that must then succeed before the others are let through."
    ),
    Field("probe_s", SECONDS, _BREAKER.probe_s, "Limit of a probe's first byte.", "s"),
)

QUIRKS = tuple(
    Field(
        key,
        quirk_kind(key),
        "(by id)" if getattr(_QUIRKS, key) is None else getattr(_QUIRKS, key),
        quirk_sentence(key),
    )
    for key in quirk_keys()
)

PROVIDERS = Section(
    "providers",
    "One upstream each. What is left out comes from the catalogue, where it knows the id.",
    (
        Field("id", ID, "(required)", "Name of the provider, in targets and in the log.", is_required=True),
        Field("dialect", Choice(DIALECTS), "(by id)", "Protocol that the provider speaks."),
        Field("base_url", Url(), "(by id)", "Root of the provider's API; a `/v1` is never doubled."),
        Field(
            "allow_http",
            Flag(),
            False,
            "Permit `http://` to another machine, which sends all in clear.",
        ),
        Field("api_key", Key(), "(the provider's own variable)", "Key that the provider wants."),
        Field(
            "api_keys",
            Listing(Key(), "secret texts"),
            [],
            "Several keys instead of `api_key`: the least loaded is used, and one that is turned away rests.",
        ),
        Field(
            "auth", Choice(AUTHS), "(by id)", "How the key is sent: `both` is x-api-key and api-key together."
        ),
        Field(
            "credentials",
            Text(),
            "(GOOGLE_APPLICATION_CREDENTIALS, on Vertex)",
            "File of credentials of Google Cloud that tokens are fetched with, in place of a key.",
        ),
        Field(
            "access_key_id",
            Key(),
            "(AWS_ACCESS_KEY_ID, on Bedrock)",
            "Name of the secret key that requests to Amazon are signed with, in place of a key that is sent.",
        ),
        Field(
            "secret_access_key",
            Key(),
            "(AWS_SECRET_ACCESS_KEY, on Bedrock)",
            "That secret key; it is never sent.",
        ),
        Field(
            "session_token",
            Key(),
            "(AWS_SESSION_TOKEN, on Bedrock)",
            "Token that came with keys which were lent.",
        ),
        SIGN_IN,
        Field("default_model", Text(), "(by id)", "Model for requests that name none of this provider."),
        Field("models", NAMES, [], "Models that the provider serves: requests for them come here."),
        Field("enabled", Flag(), _PROVIDER.enabled, "False takes the provider out of service."),
        Field(
            "priority",
            Number(-1000, 1000, is_whole=True),
            _PROVIDER.priority,
            "Of several providers that list a model the highest is asked first.",
        ),
        Field("headers", HeaderTable(), {}, "Further headers of every request to the provider."),
        Field(
            "max_requests",
            COUNT,
            _PROVIDER.max_requests,
            "Requests to the provider at one time, over all workers.",
        ),
        Field(
            "max_pending",
            Number(0, 1_000_000, is_whole=True),
            _PROVIDER.max_pending,
            "Requests that may wait for a place; more are refused at once.",
        ),
        Field("wait_s", SECONDS, _PROVIDER.wait_s, "How long a request waits for a place at most.", "s"),
        Field(
            "adaptive_limit",
            Flag(),
            _PROVIDER.adaptive_limit,
            "Find out by trying how many requests the provider takes at one time, up to `max_requests`.",
        ),
        Field(
            "breaker",
            Table(),
            {},
            "When the provider, or one of its models, is left alone because it fails, and for how long.",
            fields=BREAKER,
        ),
        Field(
            "timeouts", Table(), {}, "The limits below as a table; a limit that stands alone goes before it."
        ),
        *LIMITS,
        Field(
            "http2", Flag(), False, "Speak HTTP/2 to the provider if it agrees; without TLS it is not asked."
        ),
        Field(
            "proxy",
            ProxyUrl(),
            "(none)",
            "On the way to the provider: `http(s)://` or `socks5://user:key@host`; the environment's is not used.",
        ),
        *QUIRKS,
    ),
    '[[providers]]\nid = "deepseek"\napi_key = "${DEEPSEEK_API_KEY}"\npriority = 1',
    is_list=True,
)
