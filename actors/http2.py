"""HTTP/2 as a client speaks it, without any I/O, over the sans-I/O library h2.

How this works. A connection carries one exchange after the other and never two at once, as with HTTP/1.1, so that
everything the pool promises holds here too: a client that leaves closes its connection, and the upstream stops at
that moment; a packet that is lost holds up one answer; what was not read is held back by TCP, so that what has
come can be acknowledged at once. A library that shares connections was the other choice: httpcore 1.0 resets no
stream that is left early, so that the upstream works on and is paid for it.

`Http2Session` lives as long as the connection, an `Http2Reader` as long as one exchange. What either has to say is
in `take_outgoing`.
"""

from collections.abc import Iterable, Iterator

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import DenialOfServiceError, FrameTooLargeError, H2Error
from h2.settings import SettingCodes, Settings

from actors.http1 import OWN_FIELDS
from actors.reader import AnswerReader
from actors.request import Headers, Limits, Origin, UpstreamRequest

WINDOW_BYTES = 1_048_576
"""How much of an answer may be on its way; the default of the protocol, 64 KiB, holds long ways up."""
_FRAME_HEAD_BYTES = 9
_LAST_STREAM_ID = 2**31 - 1


class Http2Session:
    """The state of one connection. `is_spent`: it can carry no other exchange."""

    __slots__ = ("_h2", "_origin", "_waiting", "is_spent")

    def __init__(self, origin: Origin, limits: Limits) -> None:
        self._origin = origin
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES,
                SettingCodes.MAX_HEADER_LIST_SIZE: limits.header_bytes,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW_BYTES)
        self._waiting = b""
        self.is_spent = False

    def __repr__(self) -> str:
        return f"<Http2Session with {self._origin}{', spent' if self.is_spent else ''}>"

    @property
    def has_room(self) -> bool:
        """Whether the upstream takes exchanges: it may say at any time that it takes none for now."""
        return self._h2.remote_settings.max_concurrent_streams > 0

    def begin(self, request: UpstreamRequest, limits: Limits) -> "Http2Reader":
        """Write the head of a request, which `encode_head` has checked; return the reader of its answer."""
        stream_id = self._h2.get_next_available_stream_id()
        self.is_spent = self.is_spent or stream_id + 2 > _LAST_STREAM_ID
        self._h2.send_headers(stream_id, self._fields(request), end_stream=not request.body)
        return Http2Reader(self, self._h2, stream_id, request.body, limits)

    def take_outgoing(self) -> bytes:
        """Return what has to be sent."""
        return self._h2.data_to_send()

    def receive(self, data: bytes) -> Iterator[Event]:
        """Take bytes of the connection; raise `H2Error` for what is no HTTP/2.

        Frames are handed over one by one, because h2 takes an upstream's farewell for the end, though what was
        accepted before may still be answered (RFC 9113, 6.8): between the two it is told otherwise.
        """
        self._waiting += data
        while len(self._waiting) >= _FRAME_HEAD_BYTES:
            length = int.from_bytes(self._waiting[:3], "big")
            if length > self._h2.max_inbound_frame_size:
                raise FrameTooLargeError(f"a frame of {length} bytes")
            end = _FRAME_HEAD_BYTES + length
            if len(self._waiting) < end:
                return
            frame, self._waiting = self._waiting[:end], self._waiting[end:]
            for event in self._h2.receive_data(frame):
                if isinstance(event, ConnectionTerminated):
                    self.is_spent = True
                    self._h2.state_machine.state = ConnectionState.CLIENT_OPEN
                yield event

    def _fields(self, request: UpstreamRequest) -> Headers:
        pseudo = (
            (":method", request.method),
            (":authority", self._origin.authority),
            (":scheme", self._origin.scheme),
            (":path", request.path),
        )
        length = (("content-length", str(len(request.body))),) if request.body else ()
        fields = (*request.headers, *_fields_of(request.block))
        plain = tuple((name.lower(), value) for name, value in fields if name.lower() not in OWN_FIELDS)
        return (*pseudo, *plain, ("accept-encoding", "identity"), *length)


def _fields_of(block: bytes) -> Iterable[tuple[str, str]]:
    for line in block.decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(": ")
        yield name, value


class Http2Reader(AnswerReader):
    """Reads one answer of HTTP/2, and sends its request's body as the upstream has room for it."""

    __slots__ = ("_barren_bytes", "_h2", "_rest", "_session", "_stream_id")

    def __init__(
        self, session: Http2Session, connection: H2Connection, stream_id: int, body: bytes, limits: Limits
    ) -> None:
        super().__init__(limits)
        self._session = session
        self._h2 = connection
        self._stream_id = stream_id
        self._rest = memoryview(body)
        self._barren_bytes = 0
        self._send_body()

    @property
    def is_reusable(self) -> bool:
        is_whole = self.is_complete and not self._rest and self.fault is None
        return is_whole and not self._session.is_spent and self._session.has_room

    def feed(self, data: bytes) -> None:
        body_bytes = self._body_bytes
        try:
            for event in self._session.receive(data):
                self._handle(event)
            self._send_body()
        except DenialOfServiceError:
            self._session.is_spent = True
            self._fail_headers()
        except (H2Error, UnicodeDecodeError, ValueError) as error:
            self._session.is_spent = True
            self._fail("protocol", f"the answer is not HTTP/2: {error}")
        self._barren_bytes = 0 if self._body_bytes > body_bytes else self._barren_bytes + len(data)
        if self._barren_bytes > self._limits.header_bytes and not self.is_complete:
            self._fail("too_large", f"{self._barren_bytes} bytes came without one of the answer")

    def feed_eof(self) -> None:
        self._session.is_spent = True
        if not self.is_complete:
            self._fail_cut()

    def _handle(self, event: Event) -> None:
        match event:
            case ConnectionTerminated():
                self._take_farewell(event)
            case ResponseReceived(stream_id=self._stream_id):
                self._take_head(event.headers or [])
            case DataReceived(stream_id=self._stream_id):
                self._take_data(event)
            case StreamEnded(stream_id=self._stream_id):
                self.is_complete = True
            case StreamReset(stream_id=self._stream_id):
                self._take_reset(event)
            case RemoteSettingsChanged() | WindowUpdated():
                """There may be room for more of the body, which is sent when all events are handled."""
            case _:
                """Interim answers, trailers, pings and what is of another stream say nothing of this answer."""

    def _take_head(self, fields: list[tuple[bytes, bytes]]) -> None:
        self.received_bytes += sum(len(name) + len(value) + len(": \r\n") for name, value in fields)
        read = [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in fields]
        self._fields = [(name, value) for name, value in read if not name.startswith(":")]
        if self.received_bytes > self._limits.header_bytes:
            self._fail_headers()
            return
        status = int(dict(read)[":status"])
        self._read_fields()
        self._has_no_body = status in {204, 304}
        self.status = status

    def _take_data(self, event: DataReceived) -> None:
        self.received_bytes += event.flow_controlled_length
        self.on_body(event.data)
        self._h2.acknowledge_received_data(event.flow_controlled_length, self._stream_id)

    def _take_reset(self, event: StreamReset) -> None:
        if not self.is_complete:
            self._fail("reset", f"the upstream has reset the stream: {_name(event.error_code)}")

    def _take_farewell(self, event: ConnectionTerminated) -> None:
        """A connection that ends soon still carries what it has accepted."""
        if not self.is_complete and (event.last_stream_id or 0) < self._stream_id:
            self._fail("reset", f"the upstream has ended the connection: {_name(event.error_code)}")

    def _send_body(self) -> None:
        """Write as much of the body as the upstream has room for."""
        while self._rest and self.fault is None and not self.is_complete:
            window = self._h2.local_flow_control_window(self._stream_id)
            size = min(window, self._h2.max_outbound_frame_size, len(self._rest))
            if size <= 0:
                return
            piece, self._rest = self._rest[:size], self._rest[size:]
            self._h2.send_data(self._stream_id, piece.tobytes(), end_stream=not self._rest)


def _name(code: int | None) -> str:
    try:
        return ErrorCodes(code).name if code is not None else "no reason"
    except ValueError:
        return f"error {code}"
