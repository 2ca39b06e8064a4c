from deploy.local.load.bench_scale import measure, paths, report
from deploy.local.load.generator import Answer, Volley
from deploy.local.load.machine import machine


def test_the_page_says_what_is_slow():
    def volley(seconds):
        return Volley([Answer(200, seconds, b"")]).summary()

    page = report(
        {
            "machine": machine(0.0),
            "submissions": 10,
            "rounds": 1,
            "per_round": 10,
            "filling_seconds": 1.5,
            "asked": {
                "a": {"warm": volley(0.01), "cold": volley(0.2)},
                "b": {"warm": volley(0.06), "cold": volley(0.2)},
            },
        }
    )
    assert "| a | 10.0 | 10.0 | 200.0 | 200.0 | yes |" in page
    assert "| b | 60.0 | 60.0 | 200.0 | 200.0 | no |" in page


def test_the_middle_round_of_one_is_that_one():
    assert paths(1)["standings, final"] == "/rounds/1/standings"


def test_all_that_is_asked_for_is_answered(tmp_path):
    found = measure(tmp_path, 1_500, 500, 1)
    assert found["rounds"] == 3
    for one in found["asked"].values():
        assert one["warm"]["statuses"] == {"200": 1}
        assert one["cold"]["statuses"] == {"200": 3}
