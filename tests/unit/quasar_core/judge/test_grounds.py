from quasar_core.judge.ground import Ground
from quasar_core.judge.grounds import ground_of
from quasar_core.judge.settings import JudgeSettings


def test_a_processors_profile_is_judged_on_this_one():
    assert ground_of(JudgeSettings()) == Ground()
