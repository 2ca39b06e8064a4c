import pytest
from quasar_core.errors import RejectionCode, SubmissionFault
from quasar_core.execution.screening import screen_inside

from tests.support.sandboxes import open_descriptors, sandbox_in

GOOD = b"def chunk_quasar(q, k, v, beta):\n    return v, None\n"


@pytest.fixture
def sandbox(tmp_path):
    return sandbox_in(tmp_path)


def test_what_keeps_the_policy_passes_and_leaves_nothing_open(sandbox):
    screen_inside(sandbox, {"__init__.py": GOOD})
    before = open_descriptors()
    screen_inside(sandbox, {"__init__.py": GOOD, "chunk.py": b"x = 1\n"})
    assert open_descriptors() == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"import os\n", RejectionCode.FORBIDDEN_IMPORT),
        (b"(" * 100_000, RejectionCode.SYNTAX_ERROR),
        (b"-" * 200_000 + b"1", RejectionCode.SYNTAX_ERROR),
        (b"x = 1\n", RejectionCode.MISSING_ENTRY_POINT),
        (b"\0", RejectionCode.NOT_TEXT),
    ],
)
def test_what_breaks_it_is_told_by_its_rule(sandbox, text, code):
    with pytest.raises(SubmissionFault) as caught:
        screen_inside(sandbox, {"__init__.py": text})
    assert caught.value.code is code


def test_what_is_too_large_is_not_even_handed_in(sandbox):
    with pytest.raises(SubmissionFault) as caught:
        screen_inside(sandbox, {"__init__.py": b"#" * 300_000})
    assert caught.value.code is RejectionCode.TOO_LARGE
