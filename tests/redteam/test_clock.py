"""Attacks against the clock, in the real judge and its real sandbox."""

import pytest

from tests.redteam.catalogue import name_of, quick_attacks


@pytest.mark.parametrize("attack", quick_attacks("A"), ids=name_of)
def test_an_attack_gets_its_verdict_and_harms_nobody(arena, attack):
    arena.withstand(attack)


def test_after_them_an_honest_kernel_is_judged_as_ever(arena):
    assert arena.whole().rejection is None
