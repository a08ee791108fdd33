"""What is the same of an answer in every version of HTTP: its fields, its body with what it may be coded with, and
how much of both may come. Without any I/O.

A reader serves one answer, so that no state can leak from one to the next.
"""

from actors.coding import Decoder
from actors.errors import PoolError, PoolFault
from actors.request import Headers, Limits

_FRAMING = frozenset({"content-length", "transfer-encoding", "content-encoding"})


class AnswerReader:
    """Reads one answer from whatever pieces its bytes come in.

    `status` is None until the head of the final answer is complete. `is_complete` means that the body has
    ended properly, and `received_bytes` counts what came of this answer, its head included. `fault` tells what is
    wrong, if something is; it is raised after what came before it.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_decoded_bytes",
        "_decoder",
        "_fields",
        "_framed",
        "_has_no_body",
        "_limits",
        "content_length",
        "fault",
        "headers",
        "is_complete",
        "received_bytes",
        "status",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._fields: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._decoder: Decoder | None = None
        self._decoded_bytes = 0
        self._framed = False
        self._has_no_body = False
        self.status: int | None = None
        self.headers: Headers = ()
        self.content_length: int | None = None
        self.received_bytes = 0
        self.is_complete = False
        self.fault: PoolError | None = None

    def __repr__(self) -> str:
        progress = "complete" if self.is_complete else f"{self.received_bytes} bytes so far"
        return f"<{type(self).__name__} {self.status or 'no head'}, {progress}>"

    @property
    def is_reusable(self) -> bool:
        """Whether the connection may carry another exchange."""
        raise NotImplementedError

    def feed(self, data: bytes) -> None:
        """Take bytes of the connection."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of what refers back: without a cycle a body is freed as soon as it is used.

        A reader that is complete has done so.
        """

    def feed_eof(self) -> None:
        """Take the end of the connection."""
        raise NotImplementedError

    @property
    def has_more(self) -> bool:
        """True when `take` surely has something to return or to raise, or all is taken."""
        return self.is_complete or self.fault is not None or bool(self._body and self._decoder is None)

    @property
    def is_drained(self) -> bool:
        """True when the body has ended well and all of it is taken; that of a coded one only `take` finds out."""
        return self.is_complete and not self._body and self.fault is None and self._decoder is None

    @property
    def is_coded(self) -> bool:
        """True when the bytes of the body are not those that `take` returns."""
        return self._decoder is not None

    def take(self) -> bytes:
        """Return the body bytes that have come since the last call, decoded; raise what is wrong, after them.

        Decoded bytes come in bounded pieces: b"" means that there is nothing more yet.
        """
        if self._decoder is None:
            if not self._body:
                self._raise_fault()
                return b""
            data = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._body.clear()
            return data
        for part in self._body:
            self._decoder.feed(part)
        self._body.clear()
        piece = self._decoder.piece()
        if piece:
            self._count_decoded(len(piece))
            return piece
        self._raise_fault()
        if self.is_complete and not self._has_no_body:
            self._decoder.end()
        return b""

    def take_whole(self, limit_bytes: int) -> bytes | None:
        """Return the rest of a body that has ended well; None: `take` has more to tell, or it was above the limit."""
        if not self.is_complete or self.fault is not None or self._decoder is not None:
            return None
        if self._body_bytes > limit_bytes:
            return None
        body, self._body = self._body, []
        return body[0] if len(body) == 1 else b"".join(body)

    def on_body(self, data: bytes) -> None:
        """Take bytes of the body; those after a fault are nobody's."""
        if self.is_complete or self.fault is not None:
            return
        self._body.append(data)
        self._body_bytes += len(data)
        if self._body_bytes > self._limits.body_bytes:
            self._fail_body()

    def _read_fields(self) -> None:
        coding = "identity"
        for name, value in self._fields:
            if name not in _FRAMING:
                continue
            if name == "content-length":
                self._framed = True
                self.content_length = int(value)
            elif name == "transfer-encoding":
                self._framed = True
                if value.lower() != "chunked":
                    self._fail("protocol", f"the answer has the transfer coding {value[:40]!r}")
            else:
                coding = value.lower()
        if coding not in {"identity", ""}:
            self._decode_from(coding)
        self.headers = tuple(self._fields)

    def _decode_from(self, coding: str) -> None:
        try:
            self._decoder = Decoder(coding)
        except PoolError as error:
            self.fault = self.fault or error
        self.content_length = None
        self._fields = [
            field for field in self._fields if field[0] not in {"content-encoding", "content-length"}
        ]

    def _count_decoded(self, size: int) -> None:
        self._decoded_bytes += size
        if self._decoded_bytes > self._limits.body_bytes:
            self._fail_body()
            self._raise_fault()

    def _fail_cut(self) -> None:
        """Note that the connection has ended before the answer."""
        closed, truncated = "the connection was closed before the answer", "the answer was truncated"
        self._fail("reset", closed if self.status is None else truncated)

    def _fail_headers(self) -> None:
        self._fail("too_large", f"the answer has more than {self._limits.header_bytes} bytes of headers")

    def _fail_body(self) -> None:
        self._fail("too_large", f"the answer has more than {self._limits.body_bytes} bytes")

    def _fail(self, kind: PoolFault, message: str) -> None:
        """Note the first fault; callbacks of the parser must not raise."""
        if self.fault is None:
            self.fault = PoolError(kind, message, phase="first_byte" if self.status is None else "idle")

    def _raise_fault(self) -> None:
        if self.fault is not None:
            raise self.fault
