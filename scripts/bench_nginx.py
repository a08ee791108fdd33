"""nginx in the benchmark: as the mock upstream, and as the plain proxy that nothing is faster than.

Each runs with a configuration of its own in a folder of its own. The upstream answers whatever it is asked with one
canned answer for each port: a stream leaves as one chunk in one write, as `sub_filter` (which finds nothing) takes the
length from it.
"""

import itertools
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio
from bench_bodies import Dialect, answer
from bench_process import running_process

from ucr.stress.real.upstream import LOOPBACK

PIECE_CHARS = 3000
"""nginx takes no word of its configuration that is longer than about 4,000."""
HOST = "localhost"
"""The name in the certificate."""

FRAME = """
worker_processes {workers};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_body_buffer_size 256k;
    client_max_body_size 32m;
    keepalive_requests 1000000000;
    tcp_nodelay on;
{blocks}
}}
"""

CANNED = """
    server {{
        listen 127.0.0.1:{port}{tls};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            default_type {type};
            {filter}
            {pieces}
            return 200 "{names}";
        }}
    }}
"""

PROXY = """
    upstream origin {{
        server {origin};
        keepalive 1024;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {scheme}://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_ssl_verify on;
            proxy_ssl_name {host};
            proxy_ssl_trusted_certificate {certificate};
        }}
    }}
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """An upstream: where it listens and, with `tls`, by which name it is to be called."""

    port: int
    tls: bool = False

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}" if self.tls else f"http://{LOOPBACK}:{self.port}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that signs itself, and its key."""

    file: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Canned:
    """Which answer a port gives."""

    dialect: Dialect
    stream: bool
    tls: bool


DIALECTS: tuple[Dialect, ...] = ("anthropic", "openai-chat")
CANS = tuple(
    Canned(dialect, stream, tls)
    for dialect, stream, tls in itertools.product(DIALECTS, (False, True), (False, True))
)


async def certify(folder: Path) -> Certificate:
    """Make a certificate for the name of loopback, valid for a day."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    options = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN={HOST}"
    names = ["-addext", f"subjectAltName=DNS:{HOST},IP:{LOOPBACK}"]
    files = ["-keyout", str(made.key), "-out", str(made.file)]
    await trio.run_process(["openssl", *options.split(), *names, *files], capture_stderr=True)
    return made


@asynccontextmanager
async def upstream(folder: Path, certificate: Certificate) -> AsyncIterator[Mapping[Canned, Origin]]:
    """Run the mock upstream as long as the block."""
    origins = {can: Origin(port, can.tls) for can, port in zip(CANS, free_ports(len(CANS)), strict=True)}
    blocks = "".join(_canned(can, origin.port, certificate) for can, origin in origins.items())
    async with _nginx(folder, blocks, workers=1, ports=[origin.port for origin in origins.values()]):
        yield origins


@asynccontextmanager
async def proxy(
    folder: Path, origin: Origin, certificate: Certificate, *, workers: int
) -> AsyncIterator[tuple[int, trio.Process]]:
    """Run a plain proxy to an upstream as long as the block; give its port."""
    (port,) = free_ports(1)
    block = PROXY.format(
        origin=f"{LOOPBACK}:{origin.port}",
        port=port,
        scheme="https" if origin.tls else "http",
        host=HOST,
        certificate=certificate.file,
    )
    async with _nginx(folder, block, workers=workers, ports=[port]) as process:
        yield port, process


@asynccontextmanager
async def _nginx(folder: Path, blocks: str, *, workers: int, ports: list[int]) -> AsyncIterator[trio.Process]:
    command = _command(folder, blocks, workers)
    async with running_process(command, folder, ports=ports) as process:
        yield process


def _command(folder: Path, blocks: str, workers: int) -> list[str]:
    """Write the configuration into a new folder; return the command line."""
    folder.mkdir()
    file = folder / "nginx.conf"
    user = "user root;\n" if os.getuid() == 0 else ""
    file.write_text(user + FRAME.format(workers=workers, folder=folder, blocks=blocks), "utf-8")
    return ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(file)]


def _canned(can: Canned, port: int, certificate: Certificate) -> str:
    """Return the server block of one answer."""
    pieces = list(quoted(answer(can.dialect, stream=can.stream).decode()))
    kind = "text/event-stream" if can.stream else "application/json"
    return CANNED.format(
        port=port,
        tls=" ssl" if can.tls else "",
        certificate=certificate.file,
        key=certificate.key,
        type=kind,
        filter=f"sub_filter '(nothing)' ''; sub_filter_types {kind};" if can.stream else "",
        pieces="\n            ".join(f"set $piece{number} {piece};" for number, piece in enumerate(pieces)),
        names="".join(f"$piece{number}" for number in range(len(pieces))),
    )


def quoted(text: str, limit: int = PIECE_CHARS) -> Iterator[str]:
    """Give a text as quoted words of nginx's configuration, each of at most `limit` characters of the text."""
    for start in range(0, len(text), limit):
        piece = text[start : start + limit].replace("\\", "\\\\").replace("'", "\\'")
        yield f"'{piece}'"


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on now."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
