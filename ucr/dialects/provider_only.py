"""What a provider dialect says to the questions that only a dialect with clients of its own is asked."""

from typing import NoReturn

from ucr.dialects.roles import Context, Request, Target


class ProviderOnly:
    """The base of a dialect that no client speaks, so that nothing ever passes through in it.

    Each method raises `TypeError`: only the router itself could have called it.
    """

    name: str

    def build_same(self, request: Request, target: Target) -> NoReturn:
        raise self._misuse()

    def tap(self, context: Context, *, strict: bool) -> NoReturn:
        raise self._misuse()

    def pass_reply(self, body: bytes, context: Context) -> NoReturn:
        raise self._misuse()

    def _misuse(self) -> TypeError:
        return TypeError(f"no client speaks {self.name}, so that nothing passes through in it")
