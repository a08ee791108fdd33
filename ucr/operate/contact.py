"""Whether a provider is really reached: one cheap request for its list of models, with each of its keys.

A provider without such a list is asked for its root: any answer says that the way to it is good.
"""

import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from urllib.parse import urlsplit

from actors import Limits, Network, Pool, PoolError, UpstreamRequest
from ucr import jsontext
from ucr.address import auth_headers
from ucr.auth.file import credential_file
from ucr.catalogue import row
from ucr.config.model import Provider
from ucr.dialects.faults import SNIPPET_CHARS, mask_keys, snippet
from ucr.errors import UpstreamError
from ucr.operate.finding import Finding
from ucr.secret import Secret
from ucr.tokens import Tokens, google_tokens, signed_in_tokens
from ucr.upstream import origin_of

ANSWER_S = 10.0
BODY_BYTES = 4 * 1024 * 1024
SKEW_S = 120.0
"""A clock that is further off makes certificates and tokens look too old or too young."""

LISTS: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "/v1/models",
        "cohere": "/v1/models",
        "gemini": "/v1beta/models",
        "ollama": "/api/tags",
        "openai-chat": "/models",
        "openai-responses": "/models",
    }
)
"""Where the models are listed, below the base URL, by dialect."""

_TOO_YOUNG, _TOO_OLD = 9, 10
"""X.509 verify codes: the certificate is not yet valid, has expired."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request brought: a status and the models that were listed. `skew_s` is how late our clock is."""

    status: int
    words: str = ""
    models: tuple[str, ...] = ()
    skew_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Contact:
    """What is found of a provider, and the models that it lists."""

    findings: tuple[Finding, ...]
    models: tuple[str, ...] = field(default=())


async def contacted(provider: Provider, network: Network, unix_time: Callable[[], float]) -> Contact:
    """Ask a provider with each of its keys; say what is wrong, and how it is set right."""
    area = f"provider {provider.id}"
    keys = provider.api_keys
    try:
        tokens = _tokens(provider, network, unix_time)
        if tokens is not None:
            keys = (await tokens.current(),)
    except UpstreamError as error:
        remedy = f"see providers.{provider.id}, or run ucr-trio auth login {provider.id}"
        return Contact((Finding(area, "failed", mask_keys(str(error)), remedy),))
    findings: list[Finding] = []
    models: tuple[str, ...] = ()
    for number in range(max(1, len(keys))):
        which = f", key {number + 1} of {len(keys)}" if len(keys) > 1 else ""
        try:
            headers = _headers(provider, keys, number)
            answer = await _asked(provider, headers, network, unix_time)
        except PoolError as error:
            findings.append(_unreached(area, provider, error))
            break
        findings += judged(area + which, provider, answer)
        models = models or answer.models
    return Contact(tuple(dict.fromkeys(findings)), models)


def _tokens(provider: Provider, network: Network, unix_time: Callable[[], float]) -> Tokens | None:
    if provider.credentials is not None:
        return google_tokens(provider.id, provider.credentials, network, unix_time)
    if provider.is_signed_in and provider.sign_in is not None:
        return signed_in_tokens(provider, credential_file(os.environ), network, unix_time)
    return None


def _headers(provider: Provider, keys: tuple[Secret, ...], number: int) -> dict[str, str]:
    keyed = replace(provider, api_keys=keys)
    shown = {name.lower(): value for name, value in provider.headers.items()}
    versions = {"anthropic-version": "2023-06-01"} if provider.dialect == "anthropic" else {}
    return {"accept": "application/json", **versions, **shown, **dict(auth_headers(keyed, number))}


def list_path(provider: Provider) -> str | None:
    """Return where a provider lists its models; None when it does not, as far as is known."""
    if provider.models_path is None or provider.quirks.platform != "none":
        return None
    path = LISTS.get(provider.dialect)
    prefix = urlsplit(provider.base_url).path.rstrip("/")
    if path is None:
        return None
    return prefix + (path.removeprefix("/v1") if prefix.endswith("/v1") and path.startswith("/v1/") else path)


async def _asked(
    provider: Provider, headers: dict[str, str], network: Network, unix_time: Callable[[], float]
) -> Answer:
    path = list_path(provider) or urlsplit(provider.base_url).path or "/"
    limits = Limits(provider.timeouts.connect_s, ANSWER_S, ANSWER_S, body_bytes=BODY_BYTES)
    pool = Pool(origin_of(provider.base_url), network, proxy=provider.proxy)
    try:
        with await pool.start(UpstreamRequest("GET", path, tuple(headers.items())), limits) as response:
            body = await response.read()
    finally:
        await pool.aclose()
    words = "" if response.status < 400 else said(body)
    for value in headers.values():
        secret = value.removeprefix("Bearer ")
        words = words.replace(secret, "[key]") if len(secret) > 3 else words
    models = listed(body) if response.status == 200 else ()
    return Answer(response.status, words, models, _skew_s(dict(response.headers), unix_time()))


def _skew_s(headers: dict[str, str], now: float) -> float:
    try:
        said: datetime = parsedate_to_datetime(headers.get("date", ""))
        return now - said.timestamp()
    except (ValueError, TypeError):
        return 0.0


def said(body: bytes) -> str:
    """Return what an error says: its message, where it is JSON of a known shape, else its first words."""
    try:
        value = jsontext.loads(body)
    except jsontext.JsonError:
        return snippet(body)
    value = value[0] if isinstance(value, list) and value else value
    for key in ("error", "message", "detail"):
        value = value.get(key, value) if isinstance(value, dict) else value
    return mask_keys(" ".join(value.split())[:SNIPPET_CHARS]) if isinstance(value, str) else snippet(body)


def listed(body: bytes) -> tuple[str, ...]:
    """Return the names in a list of models, in the shape of whichever provider; none where it is no list."""
    try:
        value = jsontext.loads(body)
    except jsontext.JsonError:
        return ()
    rows = value if isinstance(value, list) else None
    if isinstance(value, dict):
        rows = next((value[key] for key in ("data", "models") if isinstance(value.get(key), list)), None)
    names = [row.get("id") or row.get("name") for row in rows or () if isinstance(row, dict)]
    return tuple(dict.fromkeys(str(name).removeprefix("models/") for name in names if name))


def judged(area: str, provider: Provider, answer: Answer) -> list[Finding]:
    """Return what an answer says of the provider, the key and the clock."""
    findings = [_of_status(area, provider, answer)]
    if abs(answer.skew_s) > SKEW_S:
        way = "ahead" if answer.skew_s > 0 else "behind"
        words = f"the clock of this machine is {abs(answer.skew_s):.0f} s {way} of {provider.id}'s"
        findings.append(Finding("clock", "warning", words, "set it: timedatectl set-ntp true"))
    default = provider.default_model
    if answer.models and default and not any(default in (m, m.rsplit(":", 1)[0]) for m in answer.models):
        words = f"does not list its default model {default!r}"
        remedy = (
            f"see ucr-trio providers discover {provider.id}, and correct providers.{provider.id}.default_model"
        )
        findings.append(Finding(area, "warning", words, remedy))
    return findings


def _of_status(area: str, provider: Provider, answer: Answer) -> Finding:
    told = f"answers {answer.status}" + (f" ({answer.words})" if answer.words else "")
    at = f"providers.{provider.id}"
    is_listing = list_path(provider) is not None
    if answer.status in (401, 403):
        if not is_listing:
            return Finding(area, "ok", "is reached; its key was not tried")
        return Finding(area, "failed", f"refuses its key: {told}", _key_remedy(provider))
    if answer.status == 402:
        return Finding(area, "failed", f"has no credit left: {told}", "add credit at the provider")
    if answer.status == 429:
        return Finding(
            area, "warning", f"is at its rate limit, or out of credit: {told}", "wait, or add credit"
        )
    if answer.status >= 500:
        return Finding(area, "failed", f"fails: {told}", "look at its status page, and try again later")
    if is_listing and answer.status >= 400:
        return Finding(area, "warning", f"gives no list of models: {told}", f"see that {at}.base_url is right")
    if not is_listing:
        return Finding(area, "ok", "is reached; its key was not tried")
    many = f", {len(answer.models)} models" if answer.models else ""
    return Finding(
        area, "ok", f"is reached and takes the key{many}" if provider.api_keys else f"is reached{many}"
    )


def _key_remedy(provider: Provider) -> str:
    known = row(provider.id)
    names = () if known is None else known.key_variables
    name = next((name for name in names if os.environ.get(name)), None)
    at = f"providers.{provider.id}.api_key"
    return f"correct {name}, or {at}" if name else f"correct {at}, or the variable there"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and everything that it came of."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _causes(each)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _causes(cause)


def _unreached(area: str, provider: Provider, error: PoolError) -> Finding:
    at = f"providers.{provider.id}"
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            host = urlsplit(provider.base_url).hostname
            remedy = f"correct {at}.base_url, or look at the DNS of this machine"
            return Finding(area, "failed", f"the name {host} is not known", remedy)
        if isinstance(cause, ssl.SSLError):
            remedy = "install the certificate's authority on this machine, or correct the base URL"
            if getattr(cause, "verify_code", 0) in (_TOO_YOUNG, _TOO_OLD):
                remedy = (
                    "see that the clock of this machine is right; else the provider's certificate is too old"
                )
            return Finding(area, "failed", f"TLS fails: {cause}", remedy)
        if isinstance(cause, ConnectionRefusedError):
            remedy = f"start it, or correct {at}.base_url"
            return Finding(area, "failed", f"nobody listens at {origin_of(provider.base_url)}", remedy)
    remedy = f"look at the network, a proxy ({at}.proxy) and {at}.base_url"
    return Finding(area, "failed", error.message, remedy)
