from fastapi.testclient import TestClient

from deploy.local.load.reference import PATH, make_app


def test_the_reference_stores_what_is_sent(tmp_path):
    app = make_app(f"sqlite:///{tmp_path}/reference.db")
    body = {
        "fork_url": "https://github.com/a/b",
        "commit_hash": "a" * 40,
        "target_sequence_length": 5,
    }
    with TestClient(app) as client:
        assert client.post(PATH, json=body).status_code == 202
        assert client.post(PATH, json={}).status_code == 422
