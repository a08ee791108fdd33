"""What is said to a Redis server, and what it says, without the client that carries it. Pure."""

from actors.errors import ActorError

Argument = bytes | str | int
Command = tuple[Argument, ...]
"""A command's name and its arguments."""


class RedisGone(ActorError):
    """The server cannot be reached, turned us away, or has closed its connections."""


class Refused(str):
    """The answer to one command that the server did not carry out: its words."""

    __slots__ = ()
