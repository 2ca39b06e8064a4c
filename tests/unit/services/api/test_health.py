from services.api.db.session import DatabaseUnavailable


def test_a_database_that_is_away_makes_the_api_unready(
    sqlite_world, monkeypatch
):
    def away(_self):
        raise DatabaseUnavailable("away")

    monkeypatch.setattr("services.api.db.session.Database.ping", away)
    answer = sqlite_world.client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "unavailable"
    assert sqlite_world.client.get("/health/live").status_code == 200
