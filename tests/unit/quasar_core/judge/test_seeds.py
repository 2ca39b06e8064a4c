import hashlib

import torch
from quasar_core.judge.seeds import Seeds

SEEDS = Seeds(bytes(range(32)), "run-1")


def test_a_draw_depends_on_master_run_stage_call_and_part():
    draws = {
        SEEDS.draw("timed", 1),
        SEEDS.draw("timed", 2),
        SEEDS.draw("smoke", 1),
        SEEDS.draw("timed", 1, "noise"),
        Seeds(bytes(32), "run-1").draw("timed", 1),
        Seeds(SEEDS.master, "run-2").draw("timed", 1),
    }
    assert len(draws) == 6


def test_fields_are_framed_so_that_none_runs_into_the_next():
    assert SEEDS.draw("a", 1, "1") != SEEDS.draw("a", 11, "")


def test_the_same_draw_is_the_same_chance():
    one, two = (SEEDS.generator("timed", 3, "noise") for _ in range(2))
    assert torch.equal(
        torch.rand(4, generator=one), torch.rand(4, generator=two)
    )
    assert SEEDS.chance("x", 0).random() == SEEDS.chance("x", 0).random()


def test_the_commitment_binds_the_master():
    assert SEEDS.commitment == hashlib.sha256(bytes(range(32))).hexdigest()


def test_every_run_has_a_master_of_its_own():
    assert Seeds.fresh("r").master != Seeds.fresh("r").master
