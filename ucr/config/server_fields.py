"""The keys of `[server]`."""

from ucr.config.field import COUNT, NAMES, SECONDS, Field, Section
from ucr.config.kinds import Flag, IpNetwork, Listing, Number, Text
from ucr.config.model import Server

_SERVER = Server()

PORT = Number(0, 65_535, is_whole=True)
WORKERS = Number(1, 64, is_whole=True)

SERVER = Section(
    "server",
    "Where UCR listens, and for whom.",
    (
        Field(
            "host",
            Text(says="an address"),
            _SERVER.host,
            "Address to listen on; all but loopback need a client key.",
        ),
        Field("port", PORT, _SERVER.port, "Port to listen on; 0 takes a free one."),
        Field(
            "grace_s", Number(0, 3600), _SERVER.grace_s, "How long open requests may go on after SIGTERM.", "s"
        ),
        Field("allowed_hosts", NAMES, [], "Names, beside those of loopback, that a Host header may hold."),
        Field("allowed_origins", NAMES, [], "Web origins, beside the own one, that may send requests."),
        Field(
            "body_limit_bytes",
            Number(1, 2**31, is_whole=True),
            _SERVER.body_limit_bytes,
            "Largest request body, decoded.",
            "bytes",
        ),
        Field(
            "keep_alive_s",
            SECONDS,
            _SERVER.keep_alive_s,
            "How long an idle connection of a client is kept.",
            "s",
        ),
        Field(
            "max_connections",
            COUNT,
            _SERVER.max_connections,
            "Connections of clients that a worker has at one time; more are refused with 529.",
        ),
        Field(
            "max_connections_per_address",
            COUNT,
            _SERVER.max_connections_per_address,
            "The same of one address that is not loopback.",
        ),
        Field(
            "bodies_limit_bytes",
            Number(1, 2**40, is_whole=True),
            _SERVER.bodies_limit_bytes,
            "Request bodies that a worker holds before their answers begin; above it 529.",
            "bytes",
        ),
        Field("workers", WORKERS, "(cores, 2 to 4)", "Number of worker processes."),
        Field(
            "front_lane",
            Flag(),
            _SERVER.front_lane,
            "Serve the hot routes by the front lane, before hypercorn.",
        ),
        Field(
            "trusted_proxies",
            Listing(IpNetwork(), "addresses or networks"),
            [],
            "Proxies whose `X-Forwarded-For` or `Forwarded` says who asks; nobody else's does.",
        ),
        Field(
            "compression",
            Flag(),
            _SERVER.compression,
            "Compress JSON answers of 1 KiB or more with gzip or deflate, for clients that accept it.",
        ),
        Field(
            "tls_cert",
            Text(says="a file's path"),
            "(none)",
            "PEM file of the server's certificate chain; with it, only TLS is spoken.",
        ),
        Field("tls_key", Text(says="a file's path"), "(none)", "PEM file of the certificate's key."),
    ),
    '[server]\nhost = "127.0.0.1"\nport = 3000',
)
