from services.api.rebuild.books import Books
from services.api.rebuild.comparing import differences
from tests.support.judged import play


def test_what_no_row_of_the_log_tells_of_is_named(sqlite_world):
    sqlite_world.register("a")
    submission_id = play(sqlite_world, "a")
    with sqlite_world.database.read() as session:
        found = [str(one) for one in differences(session, Books())]
    assert found == [
        f"submission {submission_id}: is in no row of the log",
        "round 1: is in no row of the log",
    ]


def test_what_is_gone_is_named(sqlite_world):
    books = Books()
    books.rounds[7] = {}
    books.reports[3] = {}
    with sqlite_world.database.read() as session:
        found = [str(one) for one in differences(session, books)]
    assert found == [
        "round 1: is in no row of the log",
        "round 7: is gone; the log opened it",
        "weights report 3: is gone; the log has it",
    ]
