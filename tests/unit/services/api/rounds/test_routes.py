def test_rounds_are_listed_newest_first_and_by_number(sqlite_world):
    client = sqlite_world.client
    (only,) = client.get("/rounds").json()
    assert only == client.get("/rounds/current").json()
    assert only == client.get("/rounds/1").json()
    assert client.get("/rounds?before=1").json() == []
    assert client.get("/rounds/9").status_code == 404
