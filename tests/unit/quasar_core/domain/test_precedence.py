"""Precedence: a work belongs to whoever committed it first, for ever."""

from quasar_core.domain.precedence import Commit, Precedence


def commit(name, block, *, hotkey="H", coldkey="C", league="300k"):
    return Commit(name, hotkey, coldkey, "code", league, block)


def original(precedence, hotkey, coldkey="other", league="300k"):
    return precedence.is_original(hotkey, coldkey, "code", league)


def test_the_first_commit_of_any_round_has_the_work():
    found = Precedence.of(
        [commit("b", 50, hotkey="copycat", coldkey="X"), commit("a", 3)]
    )
    assert original(found, "H")
    assert not original(found, "copycat", "X")


def test_within_a_block_the_earlier_id_is_first():
    found = Precedence.of(
        [commit("b", 3, hotkey="second"), commit("a", 3, hotkey="first")]
    )
    assert original(found, "first")
    assert not original(found, "second")


def test_another_hotkey_of_the_same_owner_is_nobody_else():
    assert original(Precedence.of([commit("a", 3)]), "new", "C")


def test_the_same_code_in_another_league_is_other_work():
    found = Precedence.of([commit("a", 3)])
    assert original(found, "anybody", league="1M")
    assert not original(found, "anybody")


def test_a_hotkeys_own_first_block_counts_whoever_was_first():
    found = Precedence.of(
        [commit("c", 9), commit("b", 7), commit("a", 3, hotkey="first")]
    )
    assert found.block_of("H", "code", "300k", otherwise=9) == 7
    assert found.block_of("H", "other", "300k", otherwise=9) == 9
