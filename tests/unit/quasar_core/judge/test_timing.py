from dataclasses import dataclass, field

import pytest
import torch
from quasar_core.judge import timing
from quasar_core.judge.exchange import Exchange
from quasar_core.judge.faults import Patience
from quasar_core.judge.ground import Ground
from quasar_core.judge.protocol import Ask
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape
from quasar_core.judge.stillness import Stillness
from quasar_core.judge.timing import (
    Race,
    RawTimes,
    charged,
    measure_exchange,
    timing_report,
)

torch.set_num_threads(1)
SEEDS = Seeds(bytes(32), "run")
SHAPE = CallShape(64, heads=2, head_dim=16)
SETTINGS = JudgeSettings(
    num_heads=2,
    head_dim=16,
    samples=4,
    warm_up_calls=2,
    warm_up_seconds=0,
    back_to_back_calls=3,
    exchange_samples=3,
    rest_samples=2,
)


@dataclass
class FakeSeat:
    """Keeps a diary of who ran, froze and thawed, shared by two seats."""

    name: str
    diary: list = field(default_factory=list)
    seconds: list = field(default_factory=lambda: [1.0])

    def note(self, deed):
        self.diary.append(f"{self.name} {deed}")

    def ready(self, patience):
        self.note("ready")

    def freeze(self):
        self.note("freezes")

    def thaw(self):
        self.note("thaws")

    def call(self, shape, sections, patience, *, into, ask=Ask.CALL):
        self.note(ask.name)
        return Exchange(self.seconds.pop(0), torch.zeros(1), None)

    def prepared(self, shape, sections, into):
        self.note("prepares")
        return Prepared()

    def exchange_in_a_row(self, calls, patience):
        self.note(f"CALL of {len(calls)}")
        return 1.0


class Prepared:
    def outputs(self):
        return torch.zeros(1), None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@dataclass
class FakeTable:
    seat: FakeSeat
    checked: int = 0
    seeds: Seeds = SEEDS
    stages: list = field(default_factory=list)

    def fresh_call(self, stage, call, shape, patience, dtype):
        self.stages.append((stage, call))
        self.seat.note("CALL")
        return float(len(self.stages))

    def check(self, inputs, exchange, dtype):
        self.checked += 1


@pytest.fixture
def race():
    diary = []
    return Race(
        candidate=FakeTable(FakeSeat("C", diary)),
        baseline=FakeTable(FakeSeat("B", diary)),
        shape=SHAPE,
        settings=SETTINGS,
        patience=Patience(10),
        baseline_patience=Patience(10),
        dtype=torch.float32,
        ground=Ground(),
        still=Stillness(Ground(), 0),
    )


def test_an_exchange_costs_its_median_once_it_is_warm():
    seat = FakeSeat("E", seconds=[9.0, 9.0, 0.3, 0.1, 0.2])
    assert measure_exchange(seat, SHAPE, SEEDS, SETTINGS, Ground()) == 0.2
    assert seat.diary == ["E ready"] + ["E NOTHING"] * 5


def test_a_sample_is_never_all_overhead():
    assert charged(1.0, 0.25) == 0.75
    assert charged(1.0, 2.0) == pytest.approx(0.1)


def test_samples_are_taken_in_blocks_b_c_c_b_while_the_other_is_frozen(race):
    candidate, baseline = race.blocks(lambda call: call())
    block = [f"{{}} {deed}" for deed in ("CALL", "CALL")]
    expected = []
    for runs, rests in ("BC", "CB", "CB", "BC"):
        expected += [f"{rests} freezes", f"{runs} thaws"]
        expected += [line.format(runs) for line in block]
        expected += [f"{runs} freezes"]
    assert race.candidate.seat.diary == expected
    assert (len(candidate), len(baseline)) == (4, 4)
    for table in (race.candidate, race.baseline):
        assert len(set(table.stages)) == 4


def test_a_faulty_call_leaves_both_standing_still(race):
    def fails(stage, call, shape, patience, dtype):
        raise ValueError("no")

    race.candidate.fresh_call = fails
    with pytest.raises(ValueError, match="no"):
        race.blocks(lambda call: call())
    assert race.candidate.seat.diary[-1] == "C freezes"


def test_the_long_run_has_all_inputs_ready_and_checks_them_afterwards(race):
    assert race.back_to_back() > 0
    assert race.candidate.seat.diary == [
        "B freezes",
        "C thaws",
        *["C prepares"] * 3,
        "C CALL of 3",
        "C freezes",
    ]
    assert race.candidate.checked == 3


def test_a_warm_up_lasts_a_number_of_calls_and_a_time(race, monkeypatch):
    assert race.warm_up() == 2
    assert race.warm_up_baseline() == 2
    clock = iter(range(100))
    monkeypatch.setattr(timing.time, "monotonic", lambda: next(clock))
    race.settings = SETTINGS.model_copy(update={"warm_up_seconds": 5})
    assert race.warm_up() == 6


def test_a_timed_stage_is_blocks_and_a_long_run(race):
    raw = race.run(lambda call: call())
    assert (len(raw.candidate), len(raw.baseline)) == (4, 4)
    assert raw.back_to_back > 0
    assert raw.back_to_back_calls == 3


def test_the_long_run_is_shorter_where_memory_would_not_hold_it(race):
    size = SHAPE.input_bytes + SHAPE.output_bytes
    race.ground = Ground(long_run_bytes=2 * size)
    assert race.back_to_back_calls == 2
    race.ground = Ground(long_run_bytes=1)
    assert race.back_to_back_calls == 2


def test_a_report_has_the_overhead_taken_off_each_sample():
    raw = RawTimes((1.0, 2.0, 3.0), (4.0, 5.0, 6.0), 2.5, 3)
    report = timing_report(64, raw, overhead=0.5, rest=0.125)
    assert report.samples == (0.5, 1.5, 2.5)
    assert report.baseline_samples == (3.5, 4.5, 5.5)
    assert (report.back_to_back, report.back_to_back_calls) == (2.0, 3)
    assert (report.rest, report.overhead) == (0.125, 0.5)
    assert report.sequence_length == 64
