"""Canaries: known submissions, and the verdict that each must get."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from quasar_core.errors import RejectionCode

PASSED = "passed"
NO_VERDICT = "no_verdict"
"""The run failed each time it was tried: the machine cannot judge."""


class Canary(StrEnum):
    """A submission whose verdict is known beforehand."""

    HONEST = "honest"
    FORGETFUL = "forgetful"
    """Right in each half of a sequence, and lost between the two."""
    SMUGGLER = "smuggler"
    """Imports what no kernel may."""

    @property
    def is_cheat(self) -> bool:
        """Whether it has to be turned down."""
        return self is not Canary.HONEST


EXPECTED: Mapping[str, Mapping[Canary, str]] = MappingProxyType(
    {
        "benchmark": MappingProxyType(
            {
                Canary.SMUGGLER: RejectionCode.FORBIDDEN_IMPORT.value,
                Canary.FORGETFUL: RejectionCode.OUTPUT_MISMATCH.value,
                Canary.HONEST: PASSED,
            }
        ),
        "verifier": MappingProxyType(
            {
                Canary.SMUGGLER: RejectionCode.FORBIDDEN_IMPORT.value,
                Canary.FORGETFUL: RejectionCode.LOGITS_DIFFER.value,
                Canary.HONEST: PASSED,
            }
        ),
    }
)
"""By a worker's role, cheapest first: what each canary must come to."""


def is_right(role: str, canary: Canary, got: str) -> bool:
    """Whether a worker of this role gave a canary its verdict.

    Raises KeyError for a role that there is not.
    """
    return EXPECTED[role][canary] == got
