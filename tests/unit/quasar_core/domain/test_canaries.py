import pytest
from quasar_core.domain.canaries import EXPECTED, Canary, is_right


def test_every_role_has_every_canary_and_only_cheats_are_turned_down():
    for of_role in EXPECTED.values():
        assert set(of_role) == set(Canary)
        for canary, expected in of_role.items():
            assert canary.is_cheat is (expected != "passed")


@pytest.mark.parametrize(
    ("role", "got", "right"),
    [
        ("benchmark", "output_mismatch", True),
        ("benchmark", "logits_differ", False),
        ("benchmark", "passed", False),
        ("verifier", "logits_differ", True),
        ("verifier", "no_verdict", False),
    ],
)
def test_a_cheat_is_caught_where_it_must_be(role, got, right):
    assert is_right(role, Canary.FORGETFUL, got) is right
