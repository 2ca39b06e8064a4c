"""How far a peer may tune itself."""

from types import SimpleNamespace

from fla_quasar.bench.tuning import compile_all, spread, tuned
from triton.runtime.autotuner import Autotuner


def config(number):
    return SimpleNamespace(all_kwargs=lambda: {"BV": number})


def test_a_few_configurations_are_spread_evenly():
    assert spread(list(range(12)), 4) == [0, 3, 6, 9]
    assert spread([1, 2], 4) == [1, 2]
    assert spread([1, 2], None) == [1, 2]


def test_each_configuration_is_compiled_and_none_launched():
    calls = []

    def run(*arguments, **options):
        calls.append((arguments, options))
        if options["BV"] == 2:
            raise RuntimeError

    tuner = SimpleNamespace(
        nargs={"x": 10}, fn=SimpleNamespace(run=run), configs=[]
    )
    given = {"grid": (1,), "warmup": False}
    assert compile_all(tuner, given, [config(1), config(2)]) == 1
    assert {options["BV"] for _, options in calls} == {1, 2}
    assert all(options["warmup"] for _, options in calls)
    assert all(arguments == (10,) for arguments, _ in calls)


def test_the_autotuner_is_left_as_it_was():
    before = Autotuner.prune_configs
    with tuned(briefly=True):
        assert Autotuner.prune_configs is not before
    assert Autotuner.prune_configs is before
