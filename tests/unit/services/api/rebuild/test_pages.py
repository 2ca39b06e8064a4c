from services.api.rebuild.books import Books
from services.api.rebuild.pages import pages_of_books, pages_of_tables


def test_a_round_has_standings_and_eleven_boards(sqlite_world):
    with sqlite_world.database.read() as session:
        pages = pages_of_tables(session)
    assert len(pages) == 12
    assert b'"rows":[]' in pages["round-1/leaderboard-1M.json"]


def test_what_cannot_be_shown_has_no_page():
    books = Books()
    books.rounds[1] = {"number": 1, "status": "open", "settings": {"x": 1}}
    assert pages_of_books(books, {}) == {}
