def test_a_report_is_kept_and_its_replay_is_not(sqlite_world):
    import json

    world = sqlite_world
    world.register("v", permit=True)
    body = json.dumps(
        {
            "round_number": None,
            "outcome": "skipped",
            "reason": "no round is final",
            "netuid": 24,
        }
    ).encode()
    headers = {
        "Content-Type": "application/json",
        **world.signed("v", "POST", "/weights/reports", body),
    }
    answers = [
        world.client.post("/weights/reports", content=body, headers=headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 409]
    (record,) = world.client.get("/weights").json()["records"]
    assert record["report"]["reason"] == "no round is final"
