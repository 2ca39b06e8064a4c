"""Honest kernels that look like attacks must not be rejected."""

import pytest

from tests.redteam.catalogue import LOOK_ALIKES, catalogue, name_of

QUICK = [one for one in catalogue(LOOK_ALIKES) if one.quick]


@pytest.mark.parametrize("kernel", QUICK, ids=name_of)
def test_an_honest_kernel_passes_whatever_it_looks_like(arena, kernel):
    arena.withstand(kernel)
