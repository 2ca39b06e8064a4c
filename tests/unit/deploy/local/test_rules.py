"""The rules of a local stack: the real shape at a laptop's size."""

from quasar_core.domain.leagues import league_for

from deploy.local.rules import Rules


def test_the_longest_length_is_twice_the_top_leagues():
    rules = Rules(league_unit=512)
    assert rules.max_sequence_length == 10_240
    top = league_for(rules.max_sequence_length // 2, unit=512)
    assert top.name == "1M"
