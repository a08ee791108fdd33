import pytest
import trio

from actors.errors import PoolError
from actors.resolver import CachedResolver, SystemResolver, allowed


class Book:
    """A resolver that reads from a dictionary and notes what it was asked."""

    def __init__(self, **entries: tuple[str, ...]) -> None:
        self.entries = entries
        self.asked: list[str] = []

    async def resolve(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        await trio.lowlevel.checkpoint()
        if host not in self.entries:
            raise OSError(f"{host}: unknown")
        return self.entries[host]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_what_was_found_is_kept_for_five_minutes() -> None:
    book, clock = Book(a=("192.0.2.1",)), Clock()
    resolver = CachedResolver(book, clock=clock)
    assert await resolver.resolve("a") == ("192.0.2.1",)
    clock.now += 299
    assert await resolver.resolve("a") == ("192.0.2.1",)
    assert book.asked == ["a"]
    clock.now += 1
    book.entries = {"a": ("192.0.2.2",)}
    assert await resolver.resolve("a") == ("192.0.2.2",)
    assert book.asked == ["a", "a"]


async def test_failures_are_not_kept() -> None:
    book = Book()
    resolver = CachedResolver(book, clock=Clock())
    for _ in range(2):
        with pytest.raises(OSError, match="a: unknown"):
            await resolver.resolve("a")
    book.entries = {"a": ("192.0.2.1",)}
    assert await resolver.resolve("a") == ("192.0.2.1",)
    assert book.asked == ["a", "a", "a"]


async def test_the_name_found_first_makes_room_when_the_cache_is_full() -> None:
    book = Book(a=("192.0.2.1",), b=("192.0.2.2",), c=("192.0.2.3",))
    resolver = CachedResolver(book, max_entries=2, clock=Clock())
    for host in "abcbca":
        await resolver.resolve(host)
    assert book.asked == ["a", "b", "c", "a"]
    assert repr(resolver) == "<CachedResolver 2/2 names>"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_address_resolves_to_itself_without_asking_anybody(host: str) -> None:
    assert await SystemResolver().resolve(host) == (host,)


async def test_a_name_that_cannot_be_one_is_an_os_error() -> None:
    with pytest.raises(OSError, match="is no name of a host"):
        await SystemResolver().resolve("a" * 64 + ".example")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
    ],
)
def test_link_local_and_metadata_addresses_are_refused(address: str) -> None:
    with pytest.raises(PoolError, match="is no place for an upstream") as caught:
        allowed("evil.example", (address,))
    assert (caught.value.kind, caught.value.phase) == ("connect", "connect")
    assert allowed("mixed.example", (address, "192.0.2.1")) == ("192.0.2.1",)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.5", "2001:db8::1"])
def test_loopback_private_and_public_addresses_are_not(address: str) -> None:
    assert allowed("host", (address,)) == (address,)
