import json

import pytest
from fastapi import FastAPI
from quasar_core.errors import Problem, ProblemCode
from quasar_core.telemetry.metrics import CRASHES

from services.api.problems import (
    TITLES,
    install,
    invalid,
    not_found,
    problem_response,
    unavailable,
)
from tests.support.counters import shown


def test_crashes_are_shown_before_the_first():
    CRASHES.clear()
    install(FastAPI())
    assert shown(CRASHES) == {("api.web",): 0}


def test_every_code_has_a_title():
    assert set(TITLES) == set(ProblemCode)


def test_a_problem_is_told_as_rfc_9457_says():
    problem = Problem(
        403, ProblemCode.NOT_PERMITTED, "no", headers={"X-Why": "so"}
    )
    answer = problem_response(problem, "42", [{"field": "a"}])
    assert answer.status_code == 403
    assert answer.media_type == "application/problem+json"
    assert answer.headers["x-why"] == "so"
    assert json.loads(bytes(answer.body)) == {
        "type": "urn:quasar:problem:not_permitted",
        "title": "The hotkey may not do this",
        "status": 403,
        "code": "not_permitted",
        "detail": "no",
        "instance": "urn:quasar:request:42",
        "errors": [{"field": "a"}],
    }


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (invalid("x"), 422, ProblemCode.INVALID_REQUEST),
        (not_found("x"), 404, ProblemCode.NOT_FOUND),
        (unavailable("x"), 503, ProblemCode.UNAVAILABLE),
    ],
)
def test_common_problems_have_their_status(problem, status, code):
    assert (problem.status, problem.code) == (status, code)
