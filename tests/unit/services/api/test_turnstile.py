import pytest
from quasar_core.errors import Problem, ProblemCode
from quasar_core.messaging.limits import Allowance

from services.api.turnstile import Turnstile, headers_of, note

WIDE = Allowance(120, 50, 10, allowed=True)
TIGHT = Allowance(30, 3, 60, allowed=True)


@pytest.mark.parametrize("order", [(WIDE, TIGHT), (TIGHT, WIDE)])
def test_an_answer_tells_the_tightest_limit(order):
    state = {}
    note(state, None, "who may")
    assert headers_of(state) == {}
    for allowance in order:
        note(state, allowance, "who may")
    assert headers_of(state) == {
        "RateLimit-Limit": "30",
        "RateLimit-Remaining": "3",
        "RateLimit-Reset": "60",
        "RateLimit-Policy": "30;w=60",
    }


def test_a_limit_that_is_used_up_refuses_and_says_when_it_is_not():
    with pytest.raises(Problem) as refused:
        note({}, Allowance(30, 0, 7, allowed=False), "this hotkey may write")
    fault = refused.value
    assert (fault.status, fault.code) == (429, ProblemCode.RATE_LIMITED)
    assert fault.headers == {"Retry-After": "7"}
    assert "this hotkey may write 30 in a minute" in fault.detail


async def test_a_client_is_known_even_where_nothing_is_limited():
    scope = {
        "type": "http",
        "path": "/",
        "client": ("1.2.3.4", 5),
        "headers": [],
    }
    await Turnstile().admit(scope)
    assert scope["state"]["client"] == "1.2.3.4"
