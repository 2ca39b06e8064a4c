from deploy.local.load.generator import fire
from deploy.local.load.serving import answers, referred
from deploy.local.load.shots import plain_shots
from tests.support.valkey import free_port


def test_nobody_answers_where_nobody_listens():
    assert not answers(free_port(), "/")


def test_the_reference_is_served_as_a_process(tmp_path):
    url = f"sqlite:///{tmp_path}/reference.db"
    with referred(tmp_path, url) as port:
        volley = fire(port, plain_shots(10, 0.5))
    assert volley.statuses() == {202: 5}
