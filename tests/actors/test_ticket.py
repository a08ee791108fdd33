from trio.testing import MockClock

from actors.cache import Cache
from actors.cache_spec import CacheSpec
from actors.lookup import Clear, Fill, Hit, Lookup
from actors.supervisor import open_supervisor
from actors.ticket import Ticket

KEY = b"k"


async def test_a_ticket_stores_its_entry_or_forfeits(autojump_clock: MockClock) -> None:
    async with open_supervisor() as supervisor:
        cache = await supervisor.start(Cache(CacheSpec()))
        for entry in (None, b"entry"):
            found = await cache.ref.ask(Lookup(KEY))
            assert isinstance(found, Fill)
            with Ticket(cache.ref, found.ticket) as ticket:
                ticket.entry, ticket.tags = entry, ("a",)
        assert await cache.ref.ask(Lookup(KEY)) == Hit(b"entry", 0.0)
        assert cache.statistics().forfeited == 1
        assert await cache.ref.ask(Clear("a")) == 1
    assert repr(ticket) == "<Ticket 2 of 'cache'>"
