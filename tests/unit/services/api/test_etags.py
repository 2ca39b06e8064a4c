import pytest

from services.api.etags import fresh


@pytest.mark.parametrize(
    ("held", "is_fresh"),
    [
        (None, False),
        ("", False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('"b"', False),
        ("*", True),
    ],
)
def test_what_the_caller_holds_is_compared_by_tag(held, is_fresh):
    assert fresh('"a"', held) is is_fresh
