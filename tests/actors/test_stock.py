from actors.lending import Holding, Settlement
from actors.stock import PermitStock, RateStock, even_share


def test_an_even_share_is_never_nothing() -> None:
    assert (even_share(10, 4), even_share(1, 4), even_share(8, 0)) == (3, 1, 8)


def test_what_was_spent_is_said_and_what_is_spare_goes_back() -> None:
    stock = RateStock("k", 100)
    stock.lent(10)
    assert stock.reserve(4) == 4
    stock.spend(4, 0.0)
    assert stock.settled() == Settlement("k", spent=4, returned=6)
    assert stock.settled() is None
    assert stock.reserve(1) == 0


def test_what_is_likely_needed_is_what_the_last_second_took() -> None:
    stock = RateStock("k", 100)
    stock.lent(9)
    stock.spend(stock.reserve(7), 0.0)
    stock.settled()
    assert stock.extra == 7
    stock.settled()
    assert stock.extra == 0


def test_alone_a_rate_keeps_within_its_even_share_or_its_last_use() -> None:
    stock = RateStock("k", 12)
    stock.lenders_shared(4, 0.0)
    assert stock.may_charge(3, 0.0)
    assert not stock.may_charge(4, 0.0)
    stock.charge(8, 0.0)
    stock.lenders_shared(4, 1.0)
    assert not stock.may_charge(1, 1.0)
    assert stock.retry_after_s(1, 1.0) == 60.0
    assert stock.may_charge(8, 61.0)


def test_a_refund_is_said_with_its_age() -> None:
    stock = RateStock("k", 100)
    stock.charge(50, 0.0)
    assert stock.settled() == Settlement("k", charged=50)
    stock.refund(20, 7.4, 7.4)
    assert stock.used(7.4) == 30
    assert stock.settled() == Settlement("k", refunds=((7, 20),))


def test_a_declaration_says_what_was_used_in_the_last_minute() -> None:
    stock = RateStock("k", 100)
    stock.lent(10)
    stock.spend(stock.reserve(3), 10.0)
    assert stock.declared(12.0) == Holding("k", "rate", 100, 0, ((1, 3),))
    assert stock.spare == 0
    assert stock.settled() is None


def test_permits_idle_for_a_second_go_back() -> None:
    stock = PermitStock("k", 8)
    stock.lent(5)
    assert stock.reserve(3) == 3
    stock.put_back(2)
    assert stock.settled() == Settlement("k", returned=2)
    assert (stock.held, stock.in_use) == (3, 1)
    assert stock.settled() == Settlement("k", returned=2)
    stock.put_back(1)
    assert stock.settled() is None
    assert stock.settled() == Settlement("k", returned=1)
    assert stock.is_idle(0.0)


def test_permits_taken_alone_are_told_later() -> None:
    stock = PermitStock("k", 8)
    stock.lenders_shared(4, 0.0)
    assert stock.may_charge(2, 0.0)
    assert not stock.may_charge(3, 0.0)
    stock.charge(2, 0.0)
    assert stock.settled() == Settlement("k", returned=-2)
    assert stock.declared(0.0) == Holding("k", "permits", 8, 2)


def test_a_permit_given_back_twice_makes_nothing_negative() -> None:
    stock = PermitStock("k", 8)
    stock.put_back(1)
    assert stock.in_use == 0
