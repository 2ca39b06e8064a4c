from quasar_core.contracts.http import WeightsReport

from services.api.weights import repository
from services.api.weights.service import history
from tests.support.api import Moment

HOTKEY = "5" + "A" * 47


def report(outcome):
    return WeightsReport(round_number=1, outcome=outcome, netuid=24)


def test_a_round_is_weighed_by_what_was_set_and_nothing_else(sqlite_world):
    with sqlite_world.database.write() as session:
        repository.add(session, "v", report("dry_run"), Moment()())
        session.flush()
        assert not repository.was_set(session, 1)
        repository.add(session, "v", report("set"), Moment()())
        session.flush()
        assert repository.was_set(session, 1)
        assert not repository.was_set(session, 2)
        rows = repository.listed(session, "v", 9)
        assert [row.outcome for row in rows] == ["set", "dry_run"]
        assert list(repository.listed(session, "w", 9)) == []
        assert len(repository.listed(session, None, 1)) == 1


def test_reports_come_in_pages(sqlite_world):
    with sqlite_world.database.write() as session:
        for _ in range(5):
            repository.add(session, HOTKEY, report("dry_run"), Moment()())
    seen, cursor = [], None
    while True:
        with sqlite_world.database.read() as session:
            page = history(session, None, 2, cursor)
        seen.append(len(page.records))
        if page.next_cursor is None:
            break
        cursor = int(page.next_cursor)
    assert seen == [2, 2, 1]
