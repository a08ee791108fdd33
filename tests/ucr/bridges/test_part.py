"""A client dialect for one part of an answer."""

from ucr.bridges.part import PartClient
from ucr.bridges.weave import Strand, Weave
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.anthropic.encode import PING, MessageEncoder
from ucr.dialects.roles import Canonical
from ucr.errors import ApiError
from ucr.events import Ping, Reply, Text, Usage

BODY = b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"q"}]}'


def test_it_speaks_as_the_client_does_and_takes_what_is_said() -> None:
    client = AnthropicClient()
    request = client.parse(BODY, {})
    strand = Strand(Weave(MessageEncoder("m"), {}))
    begun: list[int] = []
    canonical = Canonical({"messages": []}, ("a note",))
    part = PartClient(client, canonical, strand, lambda: begun.append(1))
    assert part.parse(BODY, {}) == request
    assert part.canonical(request) is canonical
    assert (part.name, part.stream_type, part.opens_early) == ("part", client.stream_type, True)
    reply = Reply("msg_1", "m", (Text("a"),), "end_turn", Usage())
    assert part.encode_reply(reply, request) == b""
    assert strand.reply is reply
    assert part.encoder(request).encode(Ping()) == PING
    assert begun == [1, 1]
    error = ApiError("api_error", "no")
    assert part.encode_error(error, "r") == client.encode_error(error, "r")
    assert part.encode_stream_error(error, "r") == client.encode_stream_error(error, "r")
    assert part.keep_alive() == PING
    assert "anthropic" in repr(part)
