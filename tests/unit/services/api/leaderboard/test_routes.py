import pytest
from quasar_core.errors import Problem

from services.api.leaderboard.routes import fresh, round_or_current


@pytest.mark.parametrize(
    ("held", "is_fresh"),
    [
        (None, False),
        ("", False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('"b"', False),
        ("*", True),
    ],
)
def test_what_the_caller_holds_is_compared_by_tag(held, is_fresh):
    assert fresh('"a"', held) is is_fresh


def test_a_round_is_asked_for_by_number_or_is_the_open_one(sqlite_world):
    with sqlite_world.database.write() as session:
        current = round_or_current(session, None)
        assert round_or_current(session, 1) is current
        with pytest.raises(Problem) as refused:
            round_or_current(session, 2)
        assert refused.value.status == 404
        current.status = "evaluating"
        session.flush()
        with pytest.raises(Problem) as refused:
            round_or_current(session, None)
        assert refused.value.status == 503
