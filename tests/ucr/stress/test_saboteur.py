"""An actor crashes at the message that was chosen, once, and at no other."""

import pytest

from actors import ActorChild, ActorCrashed, Mailbox, open_supervisor
from tests.world.echo import Echo, EchoMessage, Say
from ucr.stress.saboteur import Saboteur


@pytest.mark.parametrize("crash_at", [1, 2, 3])
async def test_the_actor_crashes_at_its_nth_message(autojump_clock: object, crash_at: int) -> None:
    heard: list[str] = []
    mailbox: Mailbox[EchoMessage] = Mailbox("echo", capacity=9)
    saboteur = Saboteur(mailbox, crash_at)
    async with open_supervisor() as supervisor:
        child = await supervisor.start(ActorChild(mailbox, Echo))
        for number in range(1, 4):
            try:
                heard.append(await child.ref.ask(Say(str(number))))
            except ActorCrashed:
                heard.append("crashed")
    assert [text == "crashed" for text in heard] == [number == crash_at for number in range(1, 4)]
    assert saboteur.taken == 3
