"""The inputs of stage correctness kill every known mutant."""

import pytest
import torch
from quasar_core.judge.seeds import Seeds

from tests.redteam.mutants.killing import breach_of, cases, fates
from tests.redteam.mutants.library import kernel_of
from tests.support.kernel_sources import HONEST


@pytest.fixture(scope="module")
def given():
    torch.set_num_threads(1)
    return cases(Seeds.fresh("mutants"), 448)


def test_the_right_kernel_passes(given):
    honest = kernel_of(HONEST)
    assert [breach_of(honest, case) for case in given] == [None] * len(given)


def test_every_mutant_dies(given):
    died = list(fates(given))
    assert len(died) > 35
    assert [fate.name for fate in died if not fate.killed] == []
