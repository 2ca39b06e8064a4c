import pytest
import torch
from quasar_core.judge import draws
from quasar_core.judge.draws import (
    BlindInputsError,
    correctness_shapes,
    proved_dtype,
    telling_draws,
)
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape

torch.set_num_threads(1)
SEEDS = Seeds(bytes(32), "run")
SMALL = JudgeSettings(correctness_lengths=(64, 128))


def test_at_most_six_lengths_are_judged_and_the_raced_one_is_among_them():
    shapes = correctness_shapes(2_048, JudgeSettings())
    lengths = {shape.tokens for shape, _ in shapes}
    assert len(lengths) <= 6
    assert 2_048 in lengths
    assert all(length % 64 == 0 for length in lengths)


def test_scaled_values_and_states_take_their_part():
    shapes = correctness_shapes(64, SMALL)
    assert {shape.tokens for shape, scaled in shapes if scaled} == {64, 128}
    assert {s.tokens for s, _ in shapes if s.initial_state} == {128}


def test_draws_come_in_a_secret_order():
    orders = {
        tuple(
            draw.call
            for draw in telling_draws(Seeds(bytes([n]) * 32, "r"), 64, SMALL)
        )
        for n in range(4)
    }
    assert len(orders) > 1
    assert {tuple(sorted(order)) for order in orders} == {(0, 1, 2, 3, 4)}


def test_a_draw_is_the_same_each_time_it_is_asked_for():
    draw = telling_draws(SEEDS, 64, SMALL)[0]
    once, again = draw.inputs(SEEDS), draw.inputs(SEEDS)
    assert torch.equal(once.q, again.q)


def test_inputs_that_cannot_tell_are_drawn_again(monkeypatch):
    seen = []

    def unseen_mutants(inputs, exact, bound):
        seen.append(inputs)
        return ("no_mask",) if len(seen) == 1 else ()

    monkeypatch.setattr(draws, "unseen_mutants", unseen_mutants)
    found = telling_draws(SEEDS, 64, SMALL)
    assert sorted(draw.redraw for draw in found) == [0, 0, 0, 0, 1]
    assert not torch.equal(seen[0].q, seen[1].q)


def test_a_judge_that_is_blind_says_so(monkeypatch):
    monkeypatch.setattr(draws, "unseen_mutants", lambda *_: ("no_mask",))
    with pytest.raises(BlindInputsError, match="no_mask"):
        telling_draws(SEEDS, 64, SMALL)


def test_float32_stands_for_the_truth_only_where_it_is_close(monkeypatch):
    inputs = draw_inputs(SEEDS, "c", 0, CallShape(256))
    assert proved_dtype(inputs) is torch.float32
    monkeypatch.setattr(draws, "FLOAT32_PROOF", 0.0)
    assert proved_dtype(inputs) is torch.float64
