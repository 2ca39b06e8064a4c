"""A shift's money: never more than was allowed, whatever is not heard of."""

import pytest

from services.miner_agent.agent.limits import BudgetSpent
from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.purse import ShiftPurse


@pytest.fixture
def book():
    book = Logbook(None)
    yield book
    book.close()


def test_a_call_that_could_go_beyond_the_limit_is_not_made(book):
    purse = ShiftPurse(book, book.begin()[0], limit=1.0)
    purse.settle(purse.reserve(0.9), 0.25)
    purse.reserve(0.5)  # nobody hears of it again
    with pytest.raises(BudgetSpent, match=r"0\.75 of 1 are spent"):
        purse.reserve(0.3)
    purse.settle(purse.reserve(0.25), 0.1)
    assert book.spent() == pytest.approx(0.85)


def test_without_a_limit_it_only_counts(book):
    purse = ShiftPurse(book, book.begin()[0], limit=None)
    purse.reserve(1e6)
    assert book.spent() == 1e6
