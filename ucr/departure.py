"""What becomes of a call to a provider when the client leaves before the answer has ended.

How this works. The task of a request is cancelled when its client leaves. With `on_disconnect = "drain"` the call
runs in a scope that this does not reach, beside a task that is reached by it: that one mutes the delivery, and
gives the call the time that the configuration leaves to answers nobody waits for. So the answer is read, decoded
and accounted by the same lines in both cases, whether its head has come or not.
"""

from collections.abc import Awaitable, Callable

import trio

from ucr.call import Call
from ucr.errors import UcrError

Act = Callable[[], Awaitable[None]]


async def outlive(call: Call, act: Act, is_wanted: Callable[[], bool]) -> None:
    """Run a call that may outlive its client, when it is still wanted then."""
    failure: UcrError | None = None
    try:
        async with trio.open_nursery() as nursery:
            departure = _Departure(call, is_wanted)
            nursery.start_soon(departure.watch)
            with departure.scope:
                try:
                    await act()
                except UcrError as error:
                    failure = error
            departure.is_over = True
            nursery.cancel_scope.cancel(reason="the call has ended")
        if failure is not None:
            raise failure
    finally:
        del failure  # its traceback holds this frame


class _Departure:
    """Waits for the client to leave, and then gives the call in `scope` its last time."""

    def __init__(self, call: Call, is_wanted: Callable[[], bool]) -> None:
        self.scope = trio.CancelScope(shield=True)
        self.is_over = False
        self._call = call
        self._is_wanted = is_wanted

    async def watch(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            if not self.is_over:
                self._leave()

    def _leave(self) -> None:
        if self._is_wanted() and not self._call.patience.is_interrupted:
            self._call.delivery.mute()
            self.scope.deadline = trio.current_time() + self._call.router.config.router.drain_s
        else:
            self.scope.cancel(reason="nobody wants the answer")
