from deploy.local.load import bench_api
from deploy.local.load.bench_api import Step, climb, highest
from deploy.local.load.generator import Answer, Volley


def step(rate, seconds, status=202):
    return Step(rate, Volley([Answer(status, seconds, b"")] * 10))


def test_a_rate_holds_while_all_is_accepted_in_time():
    assert step(100, 0.05).holds
    assert not step(100, 1.5).holds
    assert not step(100, 0.05, status=503).holds
    steps = [step(50, 0.05), step(100, 0.5), step(150, 2.0)]
    assert highest(steps, 100.0) == 50
    assert highest(steps, 1_000.0) == 100
    assert highest([step(50, 5.0)], 100.0) == 0


def test_the_climb_ends_at_the_first_rate_that_does_not_hold(monkeypatch):
    def fire(_port, shots):
        return step(0, 0.1 if len(shots) <= 40 else 3.0).volley

    monkeypatch.setattr(bench_api, "fire", fire)
    shots = lambda rate, _seconds: [None] * rate  # noqa: E731
    steps = list(climb(1, shots, 1.0, first=20))
    assert [one.rate for one in steps] == [20, 25, 31, 39, 49]
